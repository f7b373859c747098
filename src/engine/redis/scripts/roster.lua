-- Rooms::roster
local id, lease = take(), take_number()

local room = load(name, {id})
local peer, refusal = member(room, id, lease)
if not peer then
  return save_and_reply(room, refusal)
end
return save_and_reply(room, 'ok', redis.call('HVALS', key_of(room, 'c')), peer.subject or '')
