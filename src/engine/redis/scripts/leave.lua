-- Rooms::leave
local id, lease = take(), take_number()

local room = load(name)
local peer, refusal = member(room, id, lease)
if not peer then
  return save_and_reply(room, refusal)
end
remove_peer(room, peer, 'l')
return save_and_reply(room, 'ok')
