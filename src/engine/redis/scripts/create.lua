-- Rooms::create. `refusal` is why this node would not make one, if it would not.
local refusal, capacity, secret, creator = take_some(), take_number(), take_some(), take()
local made_key, made_request = take_some(), take_some()

local room = load(name, {})
if room then
  -- Rooms::created_before, Keyed::repeats
  if room.closed then
    return save_and_answer(room, 'RoomClosed')
  end
  if not made_key or not room.creator or made_key ~= room.made_key then
    return save_and_answer(room, 'RoomExists')
  end
  if made_request ~= room.made_request then
    return save_and_answer(room, 'KeyReused')
  end
  return save_and_answer(room, 'ok', room.creator, view(room))
end
if refusal then
  return answer(refusal)
end
room = {name = name, peers = {}, capacity = capacity, secret = secret, kept = true, kept_until = now + room_lease,
  creator = creator, made_key = made_key, made_request = made_request, next_order = 1, seats = 0, changed = true}
room.due = room.kept_until
note(room, 'm')
return save_and_answer(room, 'ok', room.creator, view(room))
