-- Rooms::read, Room::read and Mailbox::read. A poll with a `hold` (in microseconds) that finds nothing is parked at the calling
-- node in the same step. `poll` is its number if it reads again.
local id, lease, hold = take(), take_number(), take_number()
local poll, page, after = take_number(), take_some(), take_number()

local room = load(name, {id})
local peer, refusal
if poll then
  peer, refusal = seat(room, id)
else
  peer, refusal = member(room, id, lease)
end
if not peer then
  return save_and_reply(room, refusal)
end

if page then
  if not peer.page then
    peer.page, peer.changed = page, true
  elseif peer.page ~= page then
    return save_and_reply(room, 'PollSuperseded')
  end
end
if poll and poll ~= peer.polls then
  if not page then
    return save_and_reply(room, 'PollSuperseded')
  end
  return save_and_reply(room, 'ok', after or peer.acknowledged, 0, 0, {})
end

after = after or peer.acknowledged
if after > peer.newest then
  return save_and_reply(room, 'CursorAhead', after, peer.newest)
elseif after < peer.acknowledged then
  return save_and_reply(room, 'CursorGone', after, peer.acknowledged)
end

-- Mailbox::trim
local mailbox = key_of(room, 'm', id)
local function bytes_up_to(entry)
  local _, bytes = struct.unpack('>I8I8', entry[2][2], 2)
  return bytes
end
-- Entries are missing, so they were deleted by hand. The mailbox continues after them.
local function missing()
  peer.acknowledged, peer.let_out, peer.changed = peer.newest, peer.taken_in, true
  redis.call('DEL', mailbox)
  return save_and_reply(room, 'CursorGone', after, peer.newest)
end
if after > peer.acknowledged then
  if after == peer.newest then
    redis.call('DEL', mailbox)
    peer.let_out = peer.taken_in
  else
    local last = redis.call('XRANGE', mailbox, entry_id(after), entry_id(after))[1]
    if not last then
      return missing()
    end
    peer.let_out = bytes_up_to(last)
    redis.call('XTRIM', mailbox, 'MINID', '=', entry_id(after + 1))
  end
  peer.acknowledged, peer.changed = after, true
end

local entries, size, full = {}, 0, false
local cursor, passed = after, peer.let_out
while cursor < peer.newest and not full do
  local found = redis.call('XRANGE', mailbox, entry_id(cursor + 1), '+', 'COUNT', 32)
  if #found == 0 then
    return missing()
  end
  for _, entry in ipairs(found) do
    local bytes = bytes_up_to(entry)
    local first = size == 0
    size = size + math.max(bytes - passed, 1)
    if not first and size > READ_BYTES then
      full = true
      break
    end
    cursor, passed = cursor + 1, bytes
    entries[#entries + 1] = entry[2]
  end
end
local fresh = math.max(0, cursor - math.max(after, peer.handed_out))
peer.handed_out = math.max(peer.handed_out, cursor)
peer.changed = true
if not poll then
  peer.polls = peer.polls + 1
end

-- Lease::hold
if #entries > 0 then
  release(peer)
elseif not poll and hold > 0 and not room.closed and not peer.leaving then
  peer.ends = math.max(peer.ends, now + lease, now + hold + math.floor(lease / 3))
  peer.held_until = now + hold
elseif poll and hold == 0 then
  release(peer)
end
if room.closed and #entries == 0 then
  remove_peer(room, peer, 'l')
  return save_and_reply(room, 'RoomClosed')
end
-- An older poll reads again, and is told that a newer one has replaced it.
wake(peer)
if #entries == 0 and hold > 0 then
  peer.waits_at = here
end
return save_and_reply(room, 'ok', cursor, fresh, peer.polls, entries)
