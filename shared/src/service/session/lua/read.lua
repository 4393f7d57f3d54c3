-- Reads a session and records its use. For the API, and for the web app, which runs it without the API.
-- KEYS: 1 session:{id}, 2 active_users:{today}, 3 active_users:{yesterday}; days are UTC. (Until the next release a
-- caller may omit 2 and 3: the answer is then nil for the first use of a day.)
-- ARGV, all optional: 1 the maximum age of a fresh TOTP proof (seconds), 2 the acting user, 3 the domain that the
-- acting user administers, 4 a ticket, if the caller can read Postgres, or 'look', if the caller may be rejected: then
-- nothing is written
-- Returns without a ticket: the session as JSON | 0 (it does not exist, or the user may not see it) | nil (call the
-- API: Redis does not have it, or a use is to be written to Postgres)
-- Returns with a ticket: {'live', JSON} | {'due', JSON, the last use (ms)}, at most once an hour | {'former', JSON} |
-- {'gone'} | {'miss', the ticket to fill with}
-- Returns for 'look': {'live', JSON} | {'gone'} | {'use'}: call again with a ticket, because there is something to
-- write

local key, ticket = KEYS[1], ARGV[4] or ''
local only_looks = ticket == 'look'
local asks_postgres = ticket ~= ''
local session = fields_of(key, FIELDS, only_looks)
if not session then return { 'use' } end
local state = state_of(session)

if state == 'absent' or state == 'read' then
  if not asks_postgres then return false end
  if only_looks then return { 'use' } end
  ticket = session.ticket or ticket
  redis.call('HSET', key, 'ticket', ticket)
  redis.call('PEXPIRE', key, TICKET_LIFE)
  return { 'miss', ticket }
end
if state == 'gone' or not may_see(session, ARGV[2], ARGV[3]) then
  return asks_postgres and { 'gone' } or 0
end
local is_due = now - tonumber(session.savedAt or 0) >= SAVED_EVERY
if not asks_postgres and (is_due or session.former or #KEYS == 1 and is_first_of_day(session)) then return false end
if only_looks then
  if is_due or session.former or is_use_to_note(session) then return { 'use' } end
  return { 'live', view(key, session, now, ARGV[1]) }
end
touch(key, session, is_due and { 'savedAt', digits(now) } or nil)
local answer = view(key, session, now, ARGV[1])
if not asks_postgres then return answer end
if session.former then return { 'former', answer } end
if is_due then return { 'due', answer, digits(now) } end
return { 'live', answer }
