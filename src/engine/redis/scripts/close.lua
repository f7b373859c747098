-- Rooms::close
local creator = take()

local room = load(name)
local refusal = administered(room, creator)
if refusal then
  return save_and_answer(room, refusal)
end
room.closed = true
room.changed = true
tell_all(room, 'c', '', EVENT_BYTES)
note(room, 'c')
settle(room)
return save_and_answer(room, 'ok')
