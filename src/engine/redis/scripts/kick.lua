-- Rooms::kick
local creator, id = take(), take()

local room = load(name)
local refusal = administered(room, creator)
if refusal then
  return save_and_reply(room, refusal)
end
if not room.peers[id] then
  return save_and_reply(room, 'PeerUnknown', id)
end
local kicked = {room.peers[id]}
for _, peer in ipairs(in_order(room)) do
  if peer.id ~= id and peer.subject and peer.subject == room.peers[id].subject then
    kicked[#kicked + 1] = peer
  end
end
for _, peer in ipairs(kicked) do
  remove_peer(room, peer, 'k')
end
return save_and_reply(room, 'ok')
