-- Rooms::join and Room::admit. `refusal` is the reason, if any, why the node does not allow a new room.
local refusal, id, restart, returning = take_some(), take(), take_number(), take_some()
local capacity, secret, creator = take_number(), take_some(), take()
local join_key, join_request, page = take_some(), take_some(), take_some()
local may_enter, may_own, administers, subject = take_some(), take_some(), take_some(), take_some()
local card, card_bytes = take(), take_number()
local lease, mailbox_messages, mailbox_bytes = take_number(), take_number(), take_number()
-- A new mailbox must start above every number of a lost one, and the nodes' clocks differ.
if returning and ARGV[1] == '' then
  restart = math.max(restart, math.floor(now / 1000))
end
local source, left = take_some(), take_number()
-- When memory is exhausted, peers may still return to their seats.
local only_resume = take_some()

-- Room::joined. The node computes the roster from all cards and the joins and leaves that this peer has not read.
local function joined(room, peer, resumed)
  local unread = {}
  if peer.newest > peer.acknowledged then
    for _, entry in ipairs(redis.call('XRANGE', key_of(room, 'm', peer.id), entry_id(peer.acknowledged + 1), '+')) do
      local kind = string.sub(entry[2][2], 1, 1)
      if kind == 'j' then
        unread[#unread + 1] = 'j' .. entry[2][4]
      elseif kind == 'l' then
        unread[#unread + 1] = 'l' .. string.sub(entry[2][4], 2)
      end
    end
  end
  local cards = redis.call('HVALS', key_of(room, 'c'))
  return save_and_reply(room, 'ok', flag(resumed), flag(peer.created_room and not resumed),
    flag((peer.owns and not resumed) or peer.administers), room.creator, room.secret, peer.subject or '', room.capacity, peer.id, peer.acknowledged, peer.newest, cards, unread)
end

-- Room::resume, Lease::resume
local function resume(room, peer)
  if room.closed then
    return save_and_reply(room, 'RoomClosed')
  end
  peer.page = page
  wake(peer)
  peer.ends, peer.held_until, peer.leaving, peer.came, peer.came_back = now + lease, now, false, now, true
  peer.changed = true
  due_by(room, peer.ends)
  record(room, 'r' .. peer.id)
  return joined(room, peer, true)
end

-- Room::check_admission, Mailbox::has_room_for_join
local function check_admission(room, peers)
  if room.closed then
    return 'RoomClosed'
  elseif is_banned(room, id) or (subject and is_banned(room, subject)) then
    return 'Kicked'
  elseif not may_enter then
    return 'TicketMissing'
  elseif secret and not room.secret then
    return 'SecretUnexpected'
  elseif room.secret and not secret then
    return 'SecretMissing'
  elseif room.secret ~= secret then
    return 'SecretWrong'
  elseif room.locked then
    return 'RoomLocked'
  elseif room.seats >= room.capacity then
    local leases = {}
    for _, peer in ipairs(peers) do
      leases[#leases + 1] = {peer.ends, peer.held_until, flag(peer.leaving)}
    end
    return 'RoomFull', room.capacity, leases
  end
  local events = room.seats + 3
  for _, peer in ipairs(peers) do
    local bytes = peer.taken_in - peer.let_out + events * EVENT_BYTES + card_bytes
    local messages = peer.newest - peer.acknowledged + events
    if messages > mailbox_messages + EVENT_HEADROOM or bytes > mailbox_bytes + EVENT_HEADROOM_BYTES then
      return 'MailboxFull', peer.id
    end
  end
end

-- Room::cost_of_join
local function may_add(room)
  local events = 2 * room.seats * (MESSAGE_COST + EVENT_BYTES + card_bytes)
  return may_grow(room.source, room.rooms * ROOM_COST + PEER_COST + card_bytes + events, left, 2)
end

local function add(room, created)
  local own = string.format('%.0f:', room.next_order) .. card
  broadcast(room, 'j', own, EVENT_BYTES + card_bytes)
  local peer = {id = id, order = room.next_order, ends = now + lease, held_until = now, leaving = false, came = now,
    came_back = false, polls = 0, page = page, acknowledged = restart, newest = restart, handed_out = restart,
    taken_in = 0, let_out = 0, waits_at = false, join_key = join_key, join_request = join_request, created_room = created,
    owns = created and may_own and not returning, administers = administers, subject = subject, answers_from = 0,
    answers_to = 0, answers_places = 0, epoch = epoch, card_bytes = card_bytes, changed = true}
  room.peers[id] = peer
  room.next_order = room.next_order + 1
  room.seats = room.seats + 1
  room.kept_until = false
  room.changed = true
  due_by(room, peer.ends)
  redis.call('HSET', key_of(room, 'c'), id, own)
  count_peers(1)
  record(room, 'j' .. id)
  return joined(room, peer, false)
end

local room = load(name)
if not room then
  if refusal or only_resume then
    return reply(refusal or 'MemoryExhausted')
  end
  room = {name = name, peers = {}, rooms = 1, freed = {}, source = source, capacity = capacity, secret = secret,
    creator = creator, next_order = 1, seats = 0, due = math.huge, changed = true}
  if not may_add(room) then
    return reply('MemoryExhausted')
  end
  record(room, 'm' .. (source or ''))
  return add(room, true)
end
if returning and room.peers[id] then
  return resume(room, room.peers[id])
end
local peers = in_order(room)
if join_key then
  -- Room::find_repeat, KeyedRequest::repeats
  for _, peer in ipairs(peers) do
    if peer.join_key == join_key then
      if peer.join_request ~= join_request then
        return save_and_reply(room, 'KeyReused')
      end
      return joined(room, peer, false)
    end
  end
end
local why, first, second = check_admission(room, peers)
if why or only_resume then
  return save_and_reply(room, why or 'MemoryExhausted', first or false, second or false)
end
if not may_add(room) then
  return save_and_reply(room, 'MemoryExhausted')
end
return add(room, false)
