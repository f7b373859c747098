-- Room::post
local from, lease = take(), take_number()
local mailbox_messages, mailbox_bytes, keys_remembered = take_number(), take_number(), take_number()
local left, reserve = take_number(), take_number()
local key, request = take_some(), take()

local targets, ids, to_all = {}, {from}, false
while taken < #ARGV - 1 do
  local target = {to = take_some(), payload = take()}
  targets[#targets + 1] = target
  ids[#ids + 1] = target.to or nil
  to_all = to_all or not target.to
end

local room = load(name, not to_all and ids or nil)
local sender, refusal = member(room, from, lease)
if not sender then
  return save_and_reply(room, refusal)
end
-- AcceptedPosts::earlier, KeyedRequest::repeats
local posts = key_of(room, 'a', from)
if key then
  local earlier = redis.call('HGET', posts, key)
  if earlier and string.sub(earlier, 1, 16) ~= request then
    return save_and_reply(room, 'KeyReused')
  elseif earlier then
    return save_and_reply(room, 'ok', string.sub(earlier, 17), 1, 0, 0)
  end
end
if room.closed then
  return save_and_reply(room, 'RoomClosed')
end

local function is_for(target, peer)
  if target.to then
    return target.to == peer.id
  end
  return peer.id ~= from
end

-- Room::check_mailboxes, Mailbox::has_room_for
local peers = in_order(room)
for _, target in ipairs(targets) do
  if target.to and not room.peers[target.to] then
    return save_and_reply(room, 'PeerUnknown', target.to)
  end
end
for _, peer in ipairs(peers) do
  local messages, bytes = 0, 0
  for _, target in ipairs(targets) do
    if is_for(target, peer) then
      messages, bytes = messages + 1, bytes + #target.payload
    end
  end
  if messages > mailbox_messages or bytes > mailbox_bytes then
    return save_and_reply(room, 'NeverFits')
  end
  local count, held = peer.newest - peer.acknowledged, peer.taken_in - peer.let_out
  if messages > 0 and (count + messages > mailbox_messages or held + bytes > mailbox_bytes) then
    return save_and_reply(room, 'MailboxFull', peer.id)
  end
end

-- Headroom::check_post
local growth = key and ANSWER_COST or 0
for _, target in ipairs(targets) do
  local copies = target.to and 1 or room.seats - 1
  growth = growth + copies * (MESSAGE_COST + #target.payload + (key and POSITION_COST or 0))
end
local from_reserve = growth <= SMALL_POST_COST and may_grow(room.source, growth, reserve, 3)
if not from_reserve and not may_grow(room.source, growth, left, 2) then
  return save_and_reply(room, 'MemoryExhausted')
end

local positions, bytes, fullest = {}, 0, 0
for _, target in ipairs(targets) do
  for _, peer in ipairs(peers) do
    if is_for(target, peer) then
      put(room, peer, 'r', from, target.payload, #target.payload)
      wake(peer)
      positions[#positions + 1] = peer.id .. struct.pack('>I8', peer.newest)
      bytes = bytes + #target.payload
      fullest = math.max(fullest, peer.newest - peer.acknowledged)
    end
  end
end

-- AcceptedPosts::remember
local all = table.concat(positions)
if key then
  sender.answers_to = sender.answers_to + 1
  sender.answers_places = sender.answers_places + #positions
  redis.call('HSET', posts, key, request .. all, '#' .. sender.answers_to, key)
  while sender.answers_to - sender.answers_from > 1
    and (sender.answers_to - sender.answers_from > keys_remembered or sender.answers_places > REMEMBERED_POSITIONS) do
    sender.answers_from = sender.answers_from + 1
    local oldest = redis.call('HGET', posts, '#' .. sender.answers_from)
    sender.answers_places = sender.answers_places - (redis.call('HSTRLEN', posts, oldest) - 16) / 24
    redis.call('HDEL', posts, oldest, '#' .. sender.answers_from)
  end
  sender.changed = true
end
return save_and_reply(room, 'ok', all, 0, bytes, fullest)
