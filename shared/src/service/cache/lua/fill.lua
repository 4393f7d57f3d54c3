-- Fills an entry, if it is still of the generation under which the reader was elected: an invalidation takes the entry
-- away, and its generation with it, so that nobody brings back what was read before.
-- KEYS: 1 the entry
-- ARGV: 1 the generation of the election, 2 attempt nonce, which is the new generation, 3 value, empty for an id that is
-- not there, 4 parties, 5 fresh until (ms), empty for as long as it lives, 6 lives until (ms)
-- Answers 1, or 0 where it came too late.

local generation = redis.pcall('HGET', KEYS[1], 'generation')
if generation == ARGV[2] then return 1 end
if generation ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'value', ARGV[3], 'parties', ARGV[4], 'freshUntil', ARGV[5],
  'filler', '', 'leaseUntil', '0')
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1
