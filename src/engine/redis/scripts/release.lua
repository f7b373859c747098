-- Rooms::release: a poll that was parked at the calling node ended before its hold was over.
local id, poll = take(), take_number()

local room = load(name, {id})
local peer = room and room.peers[id]
if peer and peer.polls == poll and peer.waits_at == here then
  peer.waits_at = false
  release(peer)
end
return save_and_reply(room, 'ok')
