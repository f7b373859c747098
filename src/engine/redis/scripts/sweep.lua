-- Rooms::expire, for a bucket: at most so many rooms at once, so that nobody waits long for the server.
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
local next_due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return answer('ok', next_due or '', redis.call('ZCARD', KEYS[1]), redis.call('GET', base .. 'n') or 0)
