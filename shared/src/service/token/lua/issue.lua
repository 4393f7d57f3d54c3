-- Issues a token, and cancels the previous one of its address for the same purpose.
-- KEYS: 1 the token's key, 2 one_time_token:{purpose}:{sha256 of the address}
-- ARGV: 1 the address, 2 life (ms), 3 the key prefix of this purpose, 4 SHA-256 of the token, 5 how long a cancelled
-- token is remembered (ms)
-- Returns its expiry (ms). The same call again returns the same answer, also after the token was used or cancelled.

local issued = redis.call('HGET', KEYS[1], 'expiresAt')
if issued then return issued end
local time = redis.call('TIME')
local ends = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[2]))
local before = redis.call('GET', KEYS[2])
if before then
  -- Without its address the token is invalid. Its rest identifies a repeated request, which must not issue it again and
  -- cancel this one.
  redis.call('HDEL', ARGV[3] .. before, 'email')
  redis.call('PEXPIRE', ARGV[3] .. before, ARGV[5])
end
redis.call('HSET', KEYS[1], 'email', ARGV[1], 'expiresAt', ends, 'of', KEYS[2])
redis.call('PEXPIREAT', KEYS[1], ends)
redis.call('SET', KEYS[2], ARGV[4], 'PXAT', ends)
return ends
