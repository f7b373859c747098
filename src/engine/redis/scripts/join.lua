-- Rooms::join and Room::admit. `refusal` is why this node would not make a room, if it would not.
local refusal, id, restart, returning = take_some(), take(), take_number(), take_some()
local capacity, secret, creator = take_number(), take_some(), take()
local join_key, join_request, page = take_some(), take_some(), take_some()
local may_enter, administers = take_some(), take_some()
local card, card_bytes = take(), take_number()
local lease, mailbox_messages, mailbox_bytes = take_number(), take_number(), take_number()
-- Where a mailbox begins anew: nodes' clocks differ, and it must be later than whatever was handed out before.
if returning and ARGV[1] == '' then
  restart = math.max(restart, math.floor(now / 1000))
end
-- When memory is short, whoever has a seat may come back to it, and nobody else comes in.
local only_back = take_some()

-- Room::joined. The roster is reckoned by the node, from all cards and what this peer has yet to read of comings and goings.
local function joined(room, peer, resumed, is_new, made)
  local unread = {}
  if peer.newest > peer.acknowledged then
    for _, entry in ipairs(redis.call('XRANGE', key_of(room, 'm', peer.id), place(peer.acknowledged + 1), '+')) do
      local kind = string.sub(entry[2][2], 1, 1)
      if kind == 'j' then
        unread[#unread + 1] = 'j' .. entry[2][4]
      elseif kind == 'l' then
        unread[#unread + 1] = 'l' .. string.sub(entry[2][4], 2)
      end
    end
  end
  local cards = redis.call('HVALS', key_of(room, 'c'))
  return save_and_answer(room, 'ok', flag(resumed), flag(is_new), flag(peer.created_room), flag(peer.administers),
    room.creator, room.capacity, peer.id, peer.acknowledged, peer.newest, cards, unread)
end

-- Room::resume, Lease::come_back
local function resume(room, peer)
  if room.closed then
    return save_and_answer(room, 'RoomClosed')
  end
  peer.page = page
  wake(peer)
  peer.ends, peer.held_until, peer.leaving, peer.came, peer.came_back = now + lease, now, false, now, true
  peer.changed = true
  due_by(room, peer.ends)
  note(room, 'r' .. peer.id)
  return joined(room, peer, true, false)
end

-- Room::check_door, Mailbox::has_room_for_join with Limits::EVENT_HEADROOM and EVENT_HEADROOM_BYTES
local function check_door(room, seats)
  if room.closed then
    return 'RoomClosed'
  elseif was_kicked(room, id) then
    return 'Kicked'
  elseif not may_enter then
    return 'TicketMissing'
  elseif room.secret and room.secret ~= secret then
    return 'SecretWrong'
  elseif room.locked then
    return 'RoomLocked'
  elseif room.seats >= room.capacity then
    local leases = {}
    for _, peer in ipairs(seats) do
      leases[#leases + 1] = {peer.ends, peer.held_until, flag(peer.leaving)}
    end
    return 'RoomFull', room.capacity, leases
  end
  local events = room.seats + 3
  for _, peer in ipairs(seats) do
    local bytes = peer.taken_in - peer.let_out + events * EVENT_BYTES + card_bytes
    if peer.newest - peer.acknowledged + events > mailbox_messages + 128 or bytes > mailbox_bytes + 262144 then
      return 'MailboxFull', peer.id
    end
  end
end

local function sit_down(room, made)
  if administers then
    room.creator = room.creator or creator
  end
  local own = string.format('%.0f:', room.next_order) .. card
  tell_all(room, 'j', own, EVENT_BYTES + card_bytes)
  local peer = {id = id, order = room.next_order, ends = now + lease, held_until = now, leaving = false, came = now,
    came_back = false, polls = 0, page = page, acknowledged = restart, newest = restart, handed_out = restart,
    taken_in = 0, let_out = 0, waits_at = false, join_key = join_key, join_request = join_request, created_room = made,
    administers = administers, answers_from = 0, answers_to = 0, answers_places = 0, epoch = epoch, changed = true}
  room.peers[id] = peer
  room.next_order = room.next_order + 1
  room.seats = room.seats + 1
  room.kept_until = false
  room.changed = true
  due_by(room, peer.ends)
  redis.call('HSET', key_of(room, 'c'), id, own)
  count_peers(1)
  note(room, 'j' .. id)
  return joined(room, peer, false, true, made)
end

local room = load(name)
if not room then
  if refusal or only_back then
    return answer(refusal or 'MemoryExhausted')
  end
  room = {name = name, peers = {}, capacity = capacity, secret = secret, creator = creator, next_order = 1, seats = 0,
    due = math.huge, changed = true}
  note(room, 'm')
  return sit_down(room, true)
end
if returning and room.peers[id] then
  return resume(room, room.peers[id])
end
local seats = seated(room)
if join_key then
  -- Room::find_repeat, Keyed::repeats
  for _, peer in ipairs(seats) do
    if peer.join_key == join_key then
      if peer.join_request ~= join_request then
        return save_and_answer(room, 'KeyReused')
      end
      return joined(room, peer, false, false)
    end
  end
end
local why, first, second = check_door(room, seats)
if why or only_back then
  return save_and_answer(room, why or 'MemoryExhausted', first or false, second or false)
end
return sit_down(room, false)
