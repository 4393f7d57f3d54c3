-- Revokes sessions. What Redis does not know is revoked as well: somebody may be reading it from Postgres.
-- KEYS: session:{id}..
-- ARGV: 1 and 2 the acting user and his domain
-- Answers for each key 'revoked' | 'hidden': not that user's | 'unknown': whose it is must be asked first

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
    bury(key, session)
    if session.userId then redis.call('HDEL', 'user_sessions:' .. session.userId, (key:gsub('^session:', ''))) end
    answers[place] = 'revoked'
  end
end
return answers
