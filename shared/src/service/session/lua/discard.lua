-- Discards a session that could not be persisted. No caller has received it.
-- KEYS: 1 session:{id}, 2 user_sessions:{userId}
-- ARGV: 1 id, 2 SHA-256 of the refresh token
-- Returns 1, or 0 if it was revoked meanwhile

if redis.call('HEXISTS', KEYS[1], 'revokedAt') == 1 then return 0 end
if redis.call('HGET', KEYS[1], 'refreshHash') == ARGV[2] then redis.call('DEL', KEYS[1]) end
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
