-- Stands in front of every script: what is kept, and how it is found.
--
-- KEYS[1] is the bucket's index of deadlines, `…{b17}:d`. All other keys of the bucket are made from it, so they lie in the
-- same slot of a cluster: `r:ROOM` a hash of the room and its peers, `c:ROOM` their cards, `k:ROOM` who was kicked,
-- `m:ROOM:PEER` a mailbox, `a:ROOM:PEER` the answers to keyed posts, `n` how many peers the bucket has, `e` in
-- which life of the server's data it was last used, and since when. ARGV begins with the time (empty: the server's), the
-- node that asks, the lease of an empty room, and the room. It ends with the lives of all servers, this one's first.

local base = string.sub(KEYS[1], 1, -2)
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local here = ARGV[2]
local room_lease = tonumber(ARGV[3])
local name = ARGV[4]

-- The arguments of one script, in order.
local taken = 4
local function take()
  taken = taken + 1
  return ARGV[taken]
end
local function take_number()
  return tonumber(take())
end
-- An empty argument is none.
local function take_some()
  local text = take()
  return text ~= '' and text
end

-- A server that starts again, or is promoted, may have forgotten what it, or the one before it, had acknowledged. Then a
-- place in a mailbox may be given twice, and a reader with an old cursor would miss a message without a word. So each
-- bucket knows in whose life it was last used. In another one every mailbox begins anew, at the time of that, and its
-- reader is told that the cursor is gone. A bucket that has gone to another server while its old one lives is as it was.
local lives = ARGV[#ARGV]
local noted = redis.call('GET', base .. 'e')
local epoch = noted and tonumber(string.sub(noted, 9)) or 0
local function note_life()
  noted = string.sub(lives, 1, 8) .. string.format('%.0f', epoch)
  redis.call('SET', base .. 'e', noted)
end
if noted and string.sub(noted, 1, 8) ~= string.sub(lives, 1, 8) then
  if not string.find(lives, string.sub(noted, 1, 8), 1, true) then
    local time = redis.call('TIME')
    epoch = math.max(epoch + 1, time[1] * 1000 + math.floor(time[2] / 1000))
  end
  note_life()
end

-- Fields may be added at the end: what an older node wrote lacks them, and what a newer one wrote has some more, which are
-- passed over and lost.
local ROOM = {'capacity', 'secret', 'locked', 'closed', 'kept', 'kept_until', 'creator', 'made_key', 'made_request',
  'next_order', 'seats', 'due'}
local PEER = {'order', 'ends', 'held_until', 'leaving', 'came', 'came_back', 'polls', 'page', 'acknowledged', 'newest',
  'handed_out', 'taken_in', 'let_out', 'waits_at', 'join_key', 'join_request', 'created_room', 'administers',
  'answers_from', 'answers_to', 'answers_places', 'epoch'}

local function pack(fields, record)
  local list = {}
  for place, field in ipairs(fields) do
    list[place] = record[field] or false
  end
  return cmsgpack.pack(list)
end

local function unpack_into(fields, text, record)
  local values = cmsgpack.unpack(text)
  for place, field in ipairs(fields) do
    record[field] = values[place]
  end
  return record
end

local EVENT_BYTES = 128 -- Content::EVENT_BYTES

-- For the answer: whom to wake, by the node where their poll waits, and what the log is to say.
local hints, notes = {}, {}

local function note(room, text)
  notes[#notes + 1] = room.name
  notes[#notes + 1] = text
end

local function wake(peer)
  if peer.waits_at then
    hints[peer.waits_at] = (hints[peer.waits_at] or '') .. peer.id
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
    noted = false
  elseif not noted then
    note_life()
  end
end

-- In the order of joining.
local function seated(room)
  local list = {}
  for _, peer in pairs(room.peers) do
    list[#list + 1] = peer
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

-- `due` is never later than the first lease to end: as in domain/deadlines.rs, renewing a lease does not touch it.
local function due_by(room, at)
  if at < room.due then
    room.due = at
    room.changed = true
  end
end

local function place(seq)
  return string.format('%.0f-0', seq)
end
