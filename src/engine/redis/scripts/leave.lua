-- Rooms::leave
local id, lease = take(), take_number()

local room = load(name)
local peer, refusal = member(room, id, lease)
if not peer then
  return save_and_answer(room, refusal)
end
take_out(room, peer, 'l')
return save_and_answer(room, 'ok')
