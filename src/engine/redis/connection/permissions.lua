-- Which commands of the scripts and the engine the calling user may not run. Changes nothing: a command that `acl_check_cmd`
-- allows is not run, and any other is refused before it does anything. Returns a list: the kind of key (`w` for the
-- channel, or empty), the command, and `allowed`, `unknown` or the error.
local base, here = ARGV[1], ARGV[2]

local results = {}
local function try(kind, command, ...)
  local known, allowed = pcall(redis.acl_check_cmd, command, ...)
  local result = 'allowed'
  if not known then
    result = 'unknown'
  elseif not allowed then
    result = redis.pcall(command, ...).err or ''
  end
  results[#results + 1] = kind
  results[#results + 1] = command
  results[#results + 1] = result
end

for _, command in ipairs({'TIME', 'PING'}) do
  try('', command)
end
try('', 'SCRIPT', 'LOAD', '')

local keys = {
  d = {'EXISTS', {'ZADD', 0, 'x'}, {'ZREM', 'x'}, {'ZRANGE', 0, 0}, {'ZRANGEBYSCORE', 0, 0}, 'ZCARD', {'EVALSHA'}},
  n = {'EXISTS', 'GET', {'INCRBY', 0}, 'DEL'},
  e = {'EXISTS', 'GET', {'SET', 'x'}, 'DEL'},
  h = {'HGETALL', {'HSET', 'x', 'x'}, {'HDEL', 'x'}},
  s = {'EXISTS', {'HMGET', 'x'}, 'HGETALL', {'HSET', 'x', 'x'}, {'HDEL', 'x'}, 'DEL'},
  r = {{'HMGET', 'x'}, 'HGETALL', {'HSET', 'x', 'x'}, {'HDEL', 'x'}, 'DEL'},
  c = {'EXISTS', {'HGET', 'x'}, 'HVALS', {'HSET', 'x', 'x'}, {'HDEL', 'x'}, 'DEL'},
  m = {'EXISTS', {'XADD', '1-0', 'x', 'x'}, {'XRANGE', '-', '+'}, {'XTRIM', 'MINID', 0}, 'DEL'},
  a = {'EXISTS', {'HGET', 'x'}, {'HSET', 'x', 'x'}, {'HSTRLEN', 'x'}, {'HDEL', 'x'}, 'DEL'},
  k = {'EXISTS', {'RPUSH', 'x'}, 'LPOP', {'LPOS', 'x'}, 'DEL'},
}
local suffixes = {d = '', n = '', e = '', s = '', h = '', r = ':x', c = ':x', m = ':x:x', a = ':x:x', k = ':x'}
for kind, commands in pairs(keys) do
  local key = base .. kind .. suffixes[kind]
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
return results
