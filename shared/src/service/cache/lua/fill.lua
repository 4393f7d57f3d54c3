-- Fills an entry, if it still has the generation of the reader's election. An invalidation deletes the entry with its
-- generation, so a slow reader cannot restore an old value.
-- KEYS: 1 the entry
-- ARGV: 1 the generation of the election, 2 attempt nonce, which is the new generation, 3 value, empty for an absent
-- id, 4 parties, 5 fresh until (ms), empty for its whole life, 6 lives until (ms)
-- Returns 1, or 0 if it was too late.

local generation = redis.pcall('HGET', KEYS[1], 'generation')
if generation == ARGV[2] then return 1 end
if generation ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'value', ARGV[3], 'parties', ARGV[4], 'freshUntil', ARGV[5],
  'filler', '', 'leaseUntil', '0')
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1
