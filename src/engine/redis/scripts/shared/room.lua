-- After the prelude in every script: loading and saving a room, and the rules of the domain that several scripts share. Each
-- names the function that it restates.

-- Peer::cost, and the part of it that is messages. The card's other copies are in events.
local function cost_of(peer)
  local messages = peer.taken_in - peer.let_out + MESSAGE_COST * (peer.newest - peer.acknowledged)
  local answers = ANSWER_COST * (peer.answers_to - peer.answers_from) + POSITION_COST * peer.answers_places
  return PEER_COST + (peer.card_bytes or 0) + answers + messages, messages
end

-- What the address and the network that created a room have caused in this bucket: the number of their rooms, the bytes of these,
-- and the part of them that is messages. A room has its source as two numbers of eight bytes.
local function holders(source)
  return 'a' .. string.sub(source, 1, 8), 'n' .. string.sub(source, 9)
end
local function held_by(source)
  local held = redis.call('HMGET', base .. 's', holders(source))
  for index = 1, 2 do
    held[index] = held[index] and {struct.unpack('>I8I8I8', held[index])} or {0, 0, 0}
  end
  return held
end
local function charge(room, rooms, bytes, messages)
  if not room.source or (rooms == 0 and bytes == 0 and messages == 0) then
    return
  end
  local held = held_by(room.source)
  for index, holder in ipairs({holders(room.source)}) do
    local more, before = {rooms, bytes, messages}, held[index]
    for at = 1, 3 do
      more[at] = math.max(0, before[at] + more[at])
    end
    if more[1] > 0 or more[2] > 0 then
      redis.call('HSET', base .. 's', holder, struct.pack('>I8I8I8', more[1], more[2], more[3]))
    else
      redis.call('HDEL', base .. 's', holder)
    end
  end
end

-- Headroom::check_growth and Account::may_add_bytes, for one bucket: there, a source may have the same share of what is left as a
-- room. `at` says what is compared: 2 for all bytes, 3 for those of messages.
local function may_grow(source, growth, left, at)
  if not source then
    return true
  end
  local held = held_by(source)
  return held[1][at] + growth <= ADDRESS_SHARE * left / BUCKET_DIVISOR
    and held[2][at] + growth <= NETWORK_SHARE * left / BUCKET_DIVISOR
end

-- Mailbox::put. The header of an entry: its kind, its time, the bytes of all entries ever up to it, and the sender.
local function put(room, peer, kind, from, body, bytes)
  peer.newest = peer.newest + 1
  peer.taken_in = peer.taken_in + bytes
  peer.changed = true
  local header = kind .. struct.pack('>I8I8', now, peer.taken_in) .. from
  redis.call('XADD', key_of(room, 'm', peer.id), entry_id(peer.newest), 'h', header, 'b', body)
end

-- Room::broadcast
local function broadcast(room, kind, body, bytes)
  for _, peer in pairs(room.peers) do
    put(room, peer, kind, '', body, bytes)
    wake(peer)
  end
end

-- Room::ban. A peer, or a subject, which is longer.
local function ban(room, whom)
  if redis.call('LPOS', key_of(room, 'k'), whom) then
    return
  end
  if redis.call('RPUSH', key_of(room, 'k'), whom) > KICKED_REMEMBERED then
    redis.call('LPOP', key_of(room, 'k'))
  end
end

-- Room::remove. The reason is a letter: (l)eft, (e)xpired, (k)icked.
local function remove(room, peer, reason)
  local card = redis.call('HGET', key_of(room, 'c'), peer.id)
  room.peers[peer.id] = nil
  room.seats = room.seats - 1
  room.freed[#room.freed + 1] = peer
  room.changed = true
  redis.call('HDEL', key_of(room, 'r'), peer.id)
  redis.call('HDEL', key_of(room, 'c'), peer.id)
  redis.call('DEL', key_of(room, 'm', peer.id), key_of(room, 'a', peer.id))
  count_peers(-1)
  if reason == 'k' then
    ban(room, peer.id)
    if peer.subject then
      ban(room, peer.subject)
    end
  end
  if not room.closed then
    broadcast(room, 'l', reason .. card, EVENT_BYTES)
  end
  wake(peer)
  record(room, reason .. peer.id)
end

local function end_room(room)
  room.ended = true
  room.rooms = room.rooms - 1
  redis.call('DEL', key_of(room, 'r'), key_of(room, 'c'), key_of(room, 'k'))
  redis.call('ZREM', KEYS[1], room.name)
  record(room, 'g' .. (room.source or ''))
end

-- Rooms::settle
local function settle(room)
  if room.seats > 0 then
    return
  end
  room.kept_until = false
  if room.kept and not room.closed then
    room.kept_until = now + room_lease
    room.due = room.kept_until
    room.changed = true
  else
    end_room(room)
  end
end

-- Compares bytes; `<` uses the server's locale.
local function is_before(a, b)
  for at = 1, #a do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then
      return left < right
    end
  end
  return false
end

-- Rooms::expire_room. All peers must be loaded.
local function expire(room)
  if room.kept_until and room.kept_until <= now then
    return end_room(room)
  end
  while not room.ended do
    local first
    for _, peer in pairs(room.peers) do
      local sooner = not first or peer.ends < first.ends or (peer.ends == first.ends and is_before(peer.id, first.id))
      if peer.ends <= now and sooner then
        first = peer
      end
    end
    if not first then
      break
    end
    remove(room, first, first.leaving and 'l' or 'e')
    settle(room)
  end
  room.due = room.kept_until or math.huge
  room.changed = true
  for _, peer in pairs(room.peers) do
    due_by(room, peer.ends)
  end
end

local function add_peer(room, id, text)
  local peer = unpack_into(PEER, text, {id = id})
  peer.cost, peer.cost_of_messages = cost_of(peer)
  room.peers[id] = peer
  if (peer.epoch or 0) ~= epoch then
    local start = math.max(epoch, peer.newest + 1)
    peer.acknowledged, peer.newest, peer.handed_out = start, start, start
    peer.taken_in, peer.let_out = 0, 0
    peer.epoch, peer.changed = epoch, true
    redis.call('DEL', key_of(room, 'm', id))
  end
end

-- In a slot that is moving to another server, a script fails when it uses a key that is already there. It must fail before it has
-- written anything, so it first asks for all keys that it may write to. A single server has no slots that move.
local in_cluster = #incarnations > 16
local function check_here(room)
  local keys = {base .. 'e', base .. 'n', base .. 's', key_of(room, 'c'), key_of(room, 'k')}
  for id in pairs(room.peers) do
    keys[#keys + 1] = key_of(room, 'm', id)
    keys[#keys + 1] = key_of(room, 'a', id)
  end
  redis.call('EXISTS', unpack(keys))
end

-- Charges what has changed to the room's source. `freed` are peers that are gone.
local function settle_accounts(room)
  local bytes, messages = room.rooms * ROOM_COST, 0
  for _, peer in ipairs(room.freed) do
    bytes, messages = bytes - (peer.cost or 0), messages - (peer.cost_of_messages or 0)
  end
  for _, peer in pairs(room.peers) do
    if peer.changed then
      local cost, of_messages = cost_of(peer)
      bytes, messages = bytes + cost - (peer.cost or 0), messages + of_messages - (peer.cost_of_messages or 0)
    end
  end
  charge(room, room.rooms, bytes, messages)
end

-- The room with these peers, or with all if `ids` is nil; nil if it does not exist. Leases that are over have ended.
local function load(called, ids)
  local room = {name = called, peers = {}, rooms = 0, freed = {}}
  if ids then
    local found = redis.call('HMGET', key_of(room, 'r'), 'room', unpack(ids))
    if not found[1] then
      return nil
    end
    unpack_into(ROOM, found[1], room)
    room.indexed = room.due
    if room.due > now then
      for index, id in ipairs(ids) do
        if found[index + 1] and not room.peers[id] then
          add_peer(room, id, found[index + 1])
        end
      end
      if in_cluster then
        check_here(room)
      end
      return room
    end
  end
  local all = redis.call('HGETALL', key_of(room, 'r'))
  if #all == 0 then
    return nil
  end
  for at = 1, #all, 2 do
    if all[at] == 'room' then
      unpack_into(ROOM, all[at + 1], room)
    else
      add_peer(room, all[at], all[at + 1])
    end
  end
  room.indexed = room.due
  if in_cluster then
    check_here(room)
  end
  if room.due <= now then
    expire(room)
  end
  if room.ended then
    settle_accounts(room)
    return nil
  end
  return room
end

local function save(room)
  settle_accounts(room)
  if room.ended then
    return
  end
  local fields = {}
  if room.changed then
    fields = {'room', pack(ROOM, room)}
  end
  for id, peer in pairs(room.peers) do
    if peer.changed then
      fields[#fields + 1] = id
      fields[#fields + 1] = pack(PEER, peer)
    end
  end
  if #fields > 0 then
    redis.call('HSET', key_of(room, 'r'), unpack(fields))
  end
  if room.due ~= room.indexed then
    redis.call('ZADD', KEYS[1], room.due, room.name)
  end
end

-- Polls of the calling node are woken by the reply, those of others through their channels.
local function reply(verdict, ...)
  local own = wake_ids[here] or ''
  wake_ids[here] = nil
  for node, ids in pairs(wake_ids) do
    redis.call('SPUBLISH', base .. 'w:' .. node, ids)
  end
  return {verdict, now, own, lifecycle, ...}
end

local function save_and_reply(room, verdict, ...)
  if room then
    save(room)
  end
  return reply(verdict, ...)
end

-- Room::is_banned
local function is_banned(room, whom)
  return redis.call('LPOS', key_of(room, 'k'), whom) and true
end

-- Room::seat
local function seat(room, id)
  if not room then
    return nil, 'PeerGone'
  end
  if room.peers[id] then
    return room.peers[id]
  end
  return nil, is_banned(room, id) and 'Kicked' or 'PeerGone'
end

-- Room::member, and Lease::renew
local function member(room, id, lease)
  local peer, refusal = seat(room, id)
  if peer and not room.closed and not peer.leaving then
    peer.ends = math.max(peer.ends, now + lease)
    peer.held_until = math.max(peer.held_until, now)
    peer.changed = true
  end
  return peer, refusal
end

-- Lease::release
local function release(peer)
  peer.held_until = math.min(peer.held_until, now)
  peer.changed = true
end

-- Rooms::remove_peer
local function remove_peer(room, peer, reason)
  remove(room, peer, reason)
  settle(room)
end

-- Rooms::administered
local function administered(room, creator)
  if not room or room.closed then
    return 'RoomUnknown'
  end
  return room.creator ~= creator and 'NotCreator'
end

local function flag(value)
  return value and 1 or 0
end

-- Room::view
local function view(room)
  return room.capacity, room.seats, flag(room.locked), flag(room.secret), flag(room.closed)
end
