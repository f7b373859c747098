-- Says where a node's relay is reached and until when, and returns those of all nodes. Without a lifetime the node is forgotten.
local host, lifetime = take(), take_number()

local key = base .. 'h'
if lifetime > 0 then
  redis.call('HSET', key, host, string.format('%.0f', now + lifetime))
else
  redis.call('HDEL', key, host)
end
local all, alive = redis.call('HGETALL', key), {}
for at = 1, #all, 2 do
  if tonumber(all[at + 1]) > now then
    alive[#alive + 1] = all[at]
  else
    redis.call('HDEL', key, all[at])
  end
end
return reply('ok', alive)
