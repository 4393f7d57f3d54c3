-- Counts changes of the block list that are not copied yet. Not repeatable: a lost answer leaves the count too high or
-- too low, and then the copy is rebuilt.
-- KEYS: 1 prefixes    ARGV: 1 the field, 2 the increment
-- Returns the count, or 0 if there is no copy

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
