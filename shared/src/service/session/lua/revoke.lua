-- Revokes sessions, including those that Redis does not have: another caller may be reading one from Postgres.
-- KEYS: session:{id}..
-- ARGV: 1 and 2 the acting user and the administered domain
-- Returns for each key 'revoked' | 'hidden': another user's | 'unknown': its user has to be looked up first

local answers = {}
for place, key in ipairs(KEYS) do
  local session = fields_of(key, { 'userId', 'email', 'revokedAt', 'ticket', 'lastUsedAt', 'endsAt' })
  if session.revokedAt then
    answers[place] = 'revoked'
  elseif ARGV[1] ~= '' and not session.userId then
    answers[place] = 'unknown'
  elseif session.userId and not may_see(session, ARGV[1], ARGV[2]) then
    answers[place] = 'hidden'
  else
    mark_revoked(key, session)
    if session.userId then redis.call('HDEL', 'user_sessions:' .. session.userId, (key:gsub('^session:', ''))) end
    answers[place] = 'revoked'
  end
end
return answers
