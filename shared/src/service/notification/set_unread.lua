-- Stores a user's unread count, unless a later one is stored: a slow writer must not restore an old count. Idempotent.
-- KEYS: 1 unread_count:{userId}    ARGV: 1 count, 2 version, 3 life (ms)
-- Returns the stored count.

local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'hash' then
  local known = redis.call('HMGET', KEYS[1], 'count', 'version')
  if tonumber(known[2]) > tonumber(ARGV[2]) then return tonumber(known[1]) end
elseif kind ~= 'none' then
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'count', ARGV[1], 'version', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return tonumber(ARGV[1])
