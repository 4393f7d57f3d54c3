-- Reads a user's unread count. A plain number of the web app under this key was counted incorrectly and is ignored.
-- KEYS: 1 unread_count:{userId}
-- Returns the count, or nil.

if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return false end
return tonumber(redis.call('HGET', KEYS[1], 'count'))
