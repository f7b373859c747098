-- Rooms::create. `refusal` is the reason, if any, why the node does not allow a new room.
local refusal, capacity, secret, creator = take_some(), take_number(), take_some(), take()
local made_key, made_request = take_some(), take_some()
local source, left = take_some(), take_number()

local room = load(name, {})
if room then
  -- Rooms::created_before, KeyedRequest::repeats
  if room.closed then
    return save_and_reply(room, 'RoomClosed')
  end
  if not made_key or made_key ~= room.made_key then
    return save_and_reply(room, 'RoomExists')
  end
  if made_request ~= room.made_request then
    return save_and_reply(room, 'KeyReused')
  end
  return save_and_reply(room, 'ok', room.creator, view(room))
end
if refusal then
  return reply(refusal)
end
if not may_grow(source, ROOM_COST, left, 2) then
  return reply('MemoryExhausted')
end
room = {name = name, peers = {}, rooms = 1, freed = {}, source = source, capacity = capacity, secret = secret, kept = true, kept_until = now + room_lease,
  creator = creator, made_key = made_key, made_request = made_request, next_order = 1, seats = 0, changed = true}
room.due = room.kept_until
record(room, 'm' .. (source or ''))
return save_and_reply(room, 'ok', room.creator, view(room))
