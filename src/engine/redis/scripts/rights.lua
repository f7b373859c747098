-- What the user who asks may not do of what the scripts and the engine do. Nothing is changed: what `acl_check_cmd` says is allowed
-- is not done, and the rest is refused before it begins, with a word of why. The answer is a list: a kind of key (or `w` for
-- the channel, or nothing), a command, and Redis' word, or `allowed`.
local base, here = ARGV[1], ARGV[2]

local found = {}
local function try(kind, command, ...)
  local known, allowed = pcall(redis.acl_check_cmd, command, ...)
  local word = 'allowed'
  if not known then
    word = 'unknown'
  elseif not allowed then
    word = redis.pcall(command, ...).err or ''
  end
  found[#found + 1] = kind
  found[#found + 1] = command
  found[#found + 1] = word
end

for _, command in ipairs({'TIME', 'PING'}) do
  try('', command)
end
try('', 'SCRIPT', 'LOAD', '')

local keys = {
  d = {'EXISTS', {'ZADD', 0, 'x'}, {'ZREM', 'x'}, {'ZRANGE', 0, 0}, {'ZRANGEBYSCORE', 0, 0}, 'ZCARD', {'EVALSHA'}},
  n = {'EXISTS', 'GET', {'INCRBY', 0}, 'DEL'},
  e = {'EXISTS', 'GET', {'SET', 'x'}, 'DEL'},
  r = {{'HMGET', 'x'}, 'HGETALL', {'HSET', 'x', 'x'}, {'HDEL', 'x'}, 'DEL'},
  c = {'EXISTS', {'HGET', 'x'}, 'HVALS', {'HSET', 'x', 'x'}, {'HDEL', 'x'}, 'DEL'},
  m = {'EXISTS', {'XADD', '1-0', 'x', 'x'}, {'XRANGE', '-', '+'}, {'XTRIM', 'MINID', 0}, 'DEL'},
  a = {'EXISTS', {'HGET', 'x'}, {'HSET', 'x', 'x'}, {'HSTRLEN', 'x'}, {'HDEL', 'x'}, 'DEL'},
  k = {'EXISTS', {'RPUSH', 'x'}, 'LPOP', {'LPOS', 'x'}, 'DEL'},
}
local behind = {d = '', n = '', e = '', r = ':x', c = ':x', m = ':x:x', a = ':x:x', k = ':x'}
for kind, commands in pairs(keys) do
  local key = base .. kind .. behind[kind]
  for _, command in ipairs(commands) do
    if type(command) == 'string' then
      try(kind, command, key)
    elseif command[1] == 'EVALSHA' then
      try(kind, 'EVALSHA', 'x', 1, key)
    else
      try(kind, command[1], key, unpack(command, 2))
    end
  end
end

for _, command in ipairs({{'SSUBSCRIBE'}, {'SPUBLISH', 'x'}}) do
  try('w', command[1], base .. 'w:' .. here, unpack(command, 2))
end
return found
