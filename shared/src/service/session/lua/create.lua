-- Creates a session.
-- KEYS: 1 session:{id}, 2 user_sessions:{userId}
-- ARGV: 1 id, 2 userId, 3 email, 4 SHA-256 of the refresh token, 5 ipAddress or '', 6 device (JSON), 7 session limit
-- Returns {'created', createdAt (ms), ids of sessions that were revoked because of the limit..} | {'taken'}: the id is,
-- or was, used by another session. The same call again returns the same answer, except for the revoked sessions.

local key, index, id = KEYS[1], KEYS[2], ARGV[1]
local stored = fields_of(key, FIELDS)
local state = state_of(stored)
if state == 'live' then
  local same = redis.call('HMGET', key, 'userId', 'refreshHash', 'version')
  if same[1] == ARGV[2] and same[2] == ARGV[4] and same[3] == '1' then return { 'created', stored.createdAt } end
end
if state == 'live' or state == 'gone' then return { 'taken' } end

local ids, revoked_at = index_of(index)
local others = {}
for _, other in ipairs(ids) do
  local session = fields_of('session:' .. other, { 'userId', 'revokedAt', 'ticket', 'lastUsedAt', 'endsAt' })
  if state_of(session) == 'live' and session.userId == ARGV[2] then
    others[#others + 1] = { id = other, used = tonumber(session.lastUsedAt), endsAt = session.endsAt }
  else
    redis.call('HDEL', index, other)
  end
end
table.sort(others, function(a, b) return a.used < b.used or a.used == b.used and a.id < b.id end)
-- A session created in the same millisecond as a revocation of all sessions is dated after it.
local created = math.max(now, revoked_at + 1)
local answer = { 'created', digits(created) }
for place = 1, #others - (tonumber(ARGV[7]) - 1) do
  local other = others[place]
  mark_revoked('session:' .. other.id, other)
  redis.call('HDEL', index, other.id)
  answer[#answer + 1] = other.id
end

redis.call('DEL', key)
redis.call('HSET', key, 'userId', ARGV[2], 'email', ARGV[3], 'refreshHash', ARGV[4], 'createdAt', digits(created),
  'lastUsedAt', digits(created), 'endsAt', digits(created + MAX_LIFETIME), 'version', '1', 'savedAt', digits(created),
  'activeOn', today, 'device', ARGV[6], unpack(ARGV[5] ~= '' and { 'ipAddress', ARGV[5] } or {}))
redis.call('PEXPIREAT', key, digits(created + IDLE + USE_INTERVAL))
add_to_index(index, id)
redis.call('SADD', active_today, ARGV[2])
redis.call('EXPIRE', active_today, ACTIVE_LIFE)
return answer
