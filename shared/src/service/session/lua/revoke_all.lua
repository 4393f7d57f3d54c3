-- Revokes all sessions of a user. Those that Redis does not know cannot be put back from Postgres afterwards, if they
-- began before.
-- KEYS: 1 user_sessions:{userId}
-- ARGV: 1 the session that is kept, or ''
-- Answers {the instant (ms), ids that were revoked..} | {'unknown'}: Redis does not know the session that is kept |
--   {'foreign'}: it was revoked, or is another user's. Then nothing changes

local index, kept = KEYS[1], ARGV[1]
if kept ~= '' then
  local session = fields_of('session:' .. kept, { 'userId', 'revokedAt', 'ticket', 'lastUsedAt', 'endsAt' })
  local state = state_of(session)
  if state == 'absent' or state == 'read' then return { 'unknown' } end
  if state == 'gone' or 'user_sessions:' .. session.userId ~= index then return { 'foreign' } end
end
local ids, before = index_of(index)
local at = math.max(now, before)
local answer = { digits(at) }
for _, id in ipairs(ids) do
  if id ~= kept then
    local key = 'session:' .. id
    bury(key, fields_of(key, { 'endsAt' }))
    redis.call('HDEL', index, id)
    answer[#answer + 1] = id
  end
end
redis.call('HSET', index, '*at', digits(at), '*except', kept)
redis.call('PEXPIRE', index, INDEX_LIFE)
return answer
