-- Redeems a token, once.
-- KEYS: 1 the token's key
-- ARGV: 1 attempt nonce, 2 how long a redeemed token is remembered for the same attempt (ms), 3 SHA-256 of the token
-- Returns the address | nil. The same call again returns the same answer.

local token = redis.call('HMGET', KEYS[1], 'email', 'of', 'taken')
if not token[1] or token[3] and token[3] ~= ARGV[1] then return false end
if not token[3] then
  redis.call('HSET', KEYS[1], 'taken', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  if redis.call('GET', token[2]) == ARGV[3] then redis.call('DEL', token[2]) end
end
return token[1]
