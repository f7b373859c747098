-- Rooms::lock
local creator, locked = take(), take_some()

local room = load(name, {})
local refusal = administered(room, creator)
if refusal then
  return save_and_reply(room, refusal)
end
room.locked = locked and true
room.changed = true
return save_and_reply(room, 'ok', view(room))
