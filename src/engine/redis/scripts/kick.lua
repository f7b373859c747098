-- Rooms::kick
local creator, id = take(), take()

local room = load(name)
local refusal = administered(room, creator)
if refusal then
  return save_and_answer(room, refusal)
end
if not room.peers[id] then
  return save_and_answer(room, 'PeerUnknown', id)
end
take_out(room, room.peers[id], 'k')
return save_and_answer(room, 'ok')
