-- Revokes sessions. What Redis does not know is revoked as well: somebody may be reading it from Postgres. The index of
-- the user is left as it is: whoever goes by it sees that the session is revoked, and the next login clears it.
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
    answers[place] = 'revoked'
  end
end
return answers
