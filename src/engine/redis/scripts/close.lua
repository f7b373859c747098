-- Rooms::close
local creator = take()

local room = load(name)
local refusal = administered(room, creator)
if refusal then
  return save_and_reply(room, refusal)
end
room.closed = true
room.changed = true
broadcast(room, 'c', '', EVENT_BYTES)
record(room, 'c')
settle(room)
return save_and_reply(room, 'ok')
