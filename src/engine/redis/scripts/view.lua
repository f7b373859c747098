-- Rooms::view
local room = load(name, {})
if not room then
  return reply('RoomUnknown')
end
return save_and_reply(room, 'ok', view(room))
