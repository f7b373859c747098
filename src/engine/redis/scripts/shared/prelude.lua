-- In front of every script, after the limits: arguments, keys and records.
--
-- KEYS[1] is the bucket's index of deadlines, `…{b17}:d`. The bucket's other keys are derived from it and so are in the same
-- slot of a cluster; docs/redis.md lists them. ARGV begins with the time (empty: the server's), the calling node, the lease
-- of an empty room, and the room. It ends with the incarnations of all servers' data, this server's first.

local base = string.sub(KEYS[1], 1, -2)
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local here = ARGV[2]
local room_lease = tonumber(ARGV[3])
local name = ARGV[4]

-- The script's own arguments, in order.
local taken = 4
local function take()
  taken = taken + 1
  return ARGV[taken]
end
local function take_number()
  return tonumber(take())
end
-- An empty argument means none.
local function take_some()
  local text = take()
  return text ~= '' and text
end

-- A server that restarts or is promoted may lack acknowledged writes. Then it would use numbers of a mailbox twice, and a reader
-- with an old cursor would silently miss a message. So each bucket stores the incarnation that last used it. In another
-- one, every mailbox restarts at the current time, and its reader is told that the cursor is gone. If that incarnation is
-- among those of the other servers, the bucket has only moved, and nothing is lost.
local incarnations = ARGV[#ARGV]
local stored = redis.call('GET', base .. 'e')
local epoch = stored and tonumber(string.sub(stored, 9)) or 0
local function store_incarnation()
  stored = string.sub(incarnations, 1, 8) .. string.format('%.0f', epoch)
  redis.call('SET', base .. 'e', stored)
end
if stored and string.sub(stored, 1, 8) ~= string.sub(incarnations, 1, 8) then
  if not string.find(incarnations, string.sub(stored, 1, 8), 1, true) then
    local time = redis.call('TIME')
    epoch = math.max(epoch + 1, time[1] * 1000 + math.floor(time[2] / 1000))
  end
  store_incarnation()
end

-- New fields may only be added at the end: records of older nodes lack them, and older nodes drop them.
local ROOM = {'capacity', 'secret', 'locked', 'closed', 'kept', 'kept_until', 'creator', 'made_key', 'made_request',
  'next_order', 'seats', 'due', 'source'}
local PEER = {'order', 'ends', 'held_until', 'leaving', 'came', 'came_back', 'polls', 'page', 'acknowledged', 'newest',
  'handed_out', 'taken_in', 'let_out', 'waits_at', 'join_key', 'join_request', 'created_room', 'administers',
  'answers_from', 'answers_to', 'answers_places', 'epoch', 'owns', 'subject', 'card_bytes'}

local function pack(fields, record)
  local list = {}
  for index, field in ipairs(fields) do
    list[index] = record[field] or false
  end
  return cmsgpack.pack(list)
end

local function unpack_into(fields, text, record)
  local values = cmsgpack.unpack(text)
  for index, field in ipairs(fields) do
    record[field] = values[index]
  end
  return record
end

-- For the reply: peers to wake, by the node where their poll is parked, and lifecycle events.
local wake_ids, lifecycle = {}, {}

local function record(room, change)
  lifecycle[#lifecycle + 1] = room.name
  lifecycle[#lifecycle + 1] = change
end

local function wake(peer)
  if peer.waits_at then
    wake_ids[peer.waits_at] = (wake_ids[peer.waits_at] or '') .. peer.id
    peer.waits_at = false
    peer.changed = true
  end
end

local function key_of(room, kind, id)
  return base .. kind .. ':' .. room.name .. (id and ':' .. id or '')
end

local function count_peers(by)
  if redis.call('INCRBY', base .. 'n', by) == 0 then
    redis.call('DEL', base .. 'n', base .. 'e')
    stored = false
  elseif not stored then
    store_incarnation()
  end
end

-- Peers in the order of joining.
local function in_order(room)
  local list = {}
  for _, peer in pairs(room.peers) do
    list[#list + 1] = peer
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

-- As in domain/deadlines.rs, `due` is never later than the end of the first lease, and renewing a lease does not touch it.
local function due_by(room, at)
  if at < room.due then
    room.due = at
    room.changed = true
  end
end

local function entry_id(seq)
  return string.format('%.0f-0', seq)
end
