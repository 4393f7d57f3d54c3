-- Replaces the value that the caller read, or adds one if none is cached. The parties do not change; an entry without
-- parties is visible to the service only. Follows clock.lua.
-- KEYS: 1 the entry
-- ARGV: 1 the generation that was read, or empty, 2 attempt nonce, which is the new generation, 3 value, 4 fresh for
-- (ms), 5 life (ms)
-- Returns 'put' | 'changed', if the generation differs | 'cached', if there is a value and no generation was passed

local entry = redis.pcall('HMGET', KEYS[1], 'generation', 'value', 'parties')
if entry.err then
  redis.call('DEL', KEYS[1])
  entry = {}
end
local generation, value, parties = entry[1], entry[2], entry[3]
if generation == ARGV[2] then return 'put' end
if ARGV[1] ~= '' then
  if not value or generation ~= ARGV[1] then return 'changed' end
elseif value and value ~= '' then
  return 'cached'
end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'value', ARGV[3], 'parties', parties or '',
  'freshUntil', ms(instant() + tonumber(ARGV[4])), 'filler', '', 'leaseUntil', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'put'
