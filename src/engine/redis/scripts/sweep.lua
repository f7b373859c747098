-- Rooms::expire, for the first `at_most` rooms of a bucket that are due: a script blocks the server.
local at_most = take_number()

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, at_most)
for _, called in ipairs(due) do
  local room = load(called)
  if room then
    save(room)
  else
    redis.call('ZREM', KEYS[1], called)
  end
end
local rooms = redis.call('ZCARD', KEYS[1])
if rooms == 0 and at_most > 0 then
  -- Whatever a room left behind that was deleted by hand.
  redis.call('DEL', base .. 's')
end
local sources = at_most > 0 and redis.call('HGETALL', base .. 's') or {}
local next_due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return reply('ok', next_due or '', rooms, redis.call('GET', base .. 'n') or 0, sources)
