-- Revokes all sessions of a user. A session that Redis does not have and that was created before cannot be copied from
-- Postgres afterwards.
-- KEYS: 1 user_sessions:{userId}
-- ARGV: 1 the session to keep, or ''
-- Returns {the instant (ms), ids that were revoked..} | {'unknown'}: Redis does not have the session to keep |
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
    mark_revoked(key, fields_of(key, { 'endsAt' }))
    redis.call('HDEL', index, id)
    answer[#answer + 1] = id
  end
end
redis.call('HSET', index, '*at', digits(at), '*except', kept)
redis.call('PEXPIRE', index, INDEX_LIFE)
return answer
