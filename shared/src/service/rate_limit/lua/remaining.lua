-- Reads the remaining requests of a limit, without taking any.
-- KEYS: 1 the key of the limit's current window, or of its bucket, 2 for a sliding one that of the previous window
-- ARGV: 1 now, 2 algorithm, 3 limit, 4 window
-- Returns the remaining requests and the reset

local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
if ARGV[2] == 'bucket' then
  -- Like the official client: a refill that no request has applied yet is not counted.
  local bucket = redis.call('HMGET', KEYS[1], 'refilledAt', 'tokens')
  if not bucket[1] then return {limit, now + window} end
  return {math.max(0, tonumber(bucket[2])), tonumber(bucket[1]) + window}
end
local reset = (math.floor(now / window) + 1) * window
if ARGV[2] == 'fixed' then
  return {math.max(0, limit - tonumber(redis.call('GET', KEYS[1]) or 0)), reset}
end
local read = redis.call('MGET', KEYS[1], KEYS[2])
local used = slid(window, now, tonumber(read[1] or 0), tonumber(read[2] or 0))
return {math.max(0, limit - used), reset}
