-- Reads a user's unread count. A number that the web app left under this name counted wrongly: it is not believed.
-- KEYS: 1 unread_count:{userId}
-- Answers the count, or nil.

if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return false end
return tonumber(redis.call('HGET', KEYS[1], 'count'))
