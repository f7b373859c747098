-- Rooms::release: a poll that waited here ended before its time.
local id, poll = take(), take_number()

local room = load(name, {id})
local peer = room and room.peers[id]
if peer and peer.polls == poll and peer.waits_at == here then
  peer.waits_at = false
  release(peer)
end
return save_and_answer(room, 'ok')
