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
remove_peer(room, room.peers[id], 'k')
return save_and_reply(room, 'ok')
