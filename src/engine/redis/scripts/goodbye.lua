-- Rooms::say_goodbye, Lease::say_goodbye
local id, lease, grace = take(), take_number(), take_number()

local room = load(name, {id})
local peer, refusal = member(room, id, lease)
if not peer then
  return save_and_reply(room, refusal)
end
if not (peer.came_back and now < peer.came + grace) then
  peer.leaving = true
  peer.ends = math.min(peer.ends, now + grace)
  peer.held_until = now
  peer.changed = true
  due_by(room, peer.ends)
end
return save_and_reply(room, 'ok')
