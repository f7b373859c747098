-- Rooms::view
local room = load(name, {})
if not room then
  return answer('RoomUnknown')
end
return save_and_answer(room, 'ok', view(room))
