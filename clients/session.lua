#!lua flags=allow-key-locking
-- Shared by every script of sessions; the actual script follows it.
--
-- session:{id} is a hash in one of three states:
--   a session    userId, email, refreshHash, createdAt, lastUsedAt, endsAt, version, savedAt, activeOn, ipAddress,
--                device (JSON), totpVerifiedAt, totpContext, rotatedAt, rotated; instants in milliseconds
--   revoked      revokedAt, and after the reuse of a token: reused. It outlives every session of that id
--   being read   ticket: a caller is reading Postgres. The result is accepted only while the ticket exists, so that a
--                session that was revoked meanwhile, or before the store lost its data, is not restored

local IDLE = 7 * 86400000             -- an unused session ends after this
local MAX_LIFETIME = 30 * 86400000    -- any session ends after this
local USE_INTERVAL = 60000            -- the minimum time between two records of the last use
local SAVED_EVERY = 3600000           -- the minimum time between two writes of the last use to Postgres
local TICKET_LIFE = 30000
local ACTIVE_LIFE = 35 * 86400   -- seconds
local FIELDS = { 'userId', 'revokedAt', 'ticket', 'lastUsedAt', 'endsAt', 'createdAt', 'email', 'device', 'ipAddress',
  'totpVerifiedAt', 'totpContext', 'savedAt', 'activeOn', 'former' }

-- Redis's time in milliseconds: instances' clocks differ.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Returns a number of milliseconds as text, without an exponent.
local function digits(number)
  return string.format('%.0f', number)
end

-- Returns an instant in RFC 3339 format. Days are counted from March, so that a leap day is the last of its year: four
-- hundred years have 146097 days, and five months from March or August have 153.
local function stamp(ms)
  local days = math.floor(ms / 86400000)
  local of_day = math.floor(ms - days * 86400000)
  local since = days + 719468
  local age = math.floor(since / 146097)
  local of_age = since - age * 146097
  local year = math.floor((of_age - math.floor(of_age / 1460) + math.floor(of_age / 36524) - math.floor(of_age / 146096)) / 365)
  local of_year = of_age - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  local day = of_year - math.floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  year = year + age * 400 + (month <= 2 and 1 or 0)
  local seconds = math.floor(of_day / 1000)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day, math.floor(seconds / 3600),
    math.floor(seconds / 60) % 60, seconds % 60, of_day % 1000)
end

-- Converts a session that the web app stored as a JSON string. The first script that accesses it makes it a hash,
-- marked as former. The web app deleted rows at logout but not the string, so Postgres is read before the session is
-- trusted. Its end is that of the string and a use does not extend it: a session that Postgres does not have must not
-- live longer.
local function replace_former(key)
  local ok, was = pcall(cjson.decode, redis.call('GET', key))
  local left = redis.call('PTTL', key)
  redis.call('DEL', key)
  if not ok or type(was) ~= 'table' or type(was.userId) ~= 'string' then return end
  local function text(value) return type(value) == 'string' and value or '' end
  local created = tonumber(was.createdAt) or now
  local used = tonumber(was.lastUsedAt) or created
  local ends = math.min(created + MAX_LIFETIME, left > 0 and now + left or used + IDLE)
  local agent = text(was.userAgent)
  local fields = { 'userId', was.userId, 'email', text(was.email), 'refreshHash', text(was.refreshToken),
    'createdAt', digits(created), 'lastUsedAt', digits(used), 'endsAt', digits(ends), 'version', '0',
    'savedAt', '0', 'former', '1',
    'device', agent == '' and '{"type":"unknown"}' or '{"type":"unknown","userAgent":' .. cjson.encode(agent) .. '}' }
  local function keep(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if text(was.ipAddress) ~= '' then keep('ipAddress', was.ipAddress) end
  if was.totpVerified == true then
    keep('totpVerifiedAt', digits(tonumber(was.totpVerifiedAt) or used))
    keep('totpContext', text(was.totpContext) ~= '' and was.totpContext or 'login')
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIREAT', key, digits(math.min(used + IDLE + USE_INTERVAL, ends)))
end

-- Returns named fields of a key, as a table; absent ones are nil. Returns nil for a string of the web app if
-- `only_looks`.
local function fields_of(key, names, only_looks)
  local values = redis.pcall('HMGET', key, unpack(names))
  if values.err then
    if only_looks then return nil end
    replace_former(key)
    values = redis.call('HMGET', key, unpack(names))
  end
  local found = {}
  for place, name in ipairs(names) do
    found[name] = values[place] or nil
  end
  return found
end

-- Returns when a session ends if it is used now for the last time.
local function expiry(session)
  return math.min(now + IDLE, tonumber(session.endsAt))
end

-- Returns the state of a key: 'live', 'gone' (revoked or expired), 'read' (a caller is reading Postgres) or 'absent'.
local function state_of(session)
  if session.revokedAt then return 'gone' end
  if session.ticket then return 'read' end
  if not session.userId then return 'absent' end
  if now >= tonumber(session.endsAt) or now >= tonumber(session.lastUsedAt) + IDLE + USE_INTERVAL then return 'gone' end
  return 'live'
end

-- Returns whether a viewer may see a session: its user, the administrator of its domain, or any caller without a
-- viewer.
local function may_see(session, viewer, domain)
  if not viewer or viewer == '' or session.userId == viewer then return true end
  if not domain or domain == '' then return false end
  local at = session.email:match('@([^@]*)$')
  return at and at:lower() == domain:lower() or false
end

-- Returns whether a use is the first of its day, so that the day's set has to be written.
local today = stamp(now):sub(1, 10)
local active_today = 'active_users:' .. today
local function is_first_of_day(session) return session.activeOn ~= today end

-- Returns whether the caller has passed a key. A script with allow-key-locking may access no other.
local function is_named(name)
  for _, key in ipairs(KEYS) do
    if key == name then return true end
  end
  return false
end

local function is_stale(session) return now - tonumber(session.lastUsedAt) >= USE_INTERVAL end

-- Returns whether a use has to be recorded: at most once per USE_INTERVAL, and on each day. Uses of former sessions are
-- not.
local function is_use_to_note(session)
  return not session.former and (is_stale(session) or is_first_of_day(session))
end

-- Records the use of a session, together with `more` changes. If the caller's clock and Redis's are in different days,
-- the day's set was not passed: the next use records the day.
local function touch(key, session, more)
  local fields, is_new_day = more or {}, is_first_of_day(session) and is_named(active_today)
  if not session.former and (is_stale(session) or is_new_day) then
    session.lastUsedAt = digits(now)
    fields[#fields + 1] = 'lastUsedAt'
    fields[#fields + 1] = session.lastUsedAt
    if is_new_day then
      session.activeOn = today
      fields[#fields + 1] = 'activeOn'
      fields[#fields + 1] = session.activeOn
      redis.call('SADD', active_today, session.userId)
      redis.call('EXPIRE', active_today, ACTIVE_LIFE)
    end
    redis.call('PEXPIREAT', key, digits(math.min(now + IDLE + USE_INTERVAL, tonumber(session.endsAt))))
  end
  if #fields > 0 then redis.call('HSET', key, unpack(fields)) end
end

-- Returns a session as the API's JSON. `used` is the instant of its last use; the other members come from the session.
local function view(key, session, used, totp_max_age, current)
  local out = { '{"sessionId":', cjson.encode(key:match('^session:(.*)$')), ',"userId":', cjson.encode(session.userId),
    ',"email":', cjson.encode(session.email), ',"createdAt":"', stamp(tonumber(session.createdAt)), '","lastUsedAt":"',
    stamp(used), '","expiresAt":"', stamp(math.min(used + IDLE, tonumber(session.endsAt))), '","device":',
    session.device or '{"type":"unknown"}' }
  local function add(...)
    for _, part in ipairs({ ... }) do out[#out + 1] = part end
  end
  if session.ipAddress then add(',"ipAddress":', cjson.encode(session.ipAddress)) end
  local verified = session.totpVerifiedAt and tonumber(session.totpVerifiedAt)
  add(',"totp":{"verified":', verified and 'true' or 'false')
  if verified then add(',"verifiedAt":"', stamp(verified), '","context":', cjson.encode(session.totpContext)) end
  local oldest = tonumber(totp_max_age)
  if oldest then add(',"fresh":', verified and now - verified <= oldest * 1000 and 'true' or 'false') end
  add('}')
  if current ~= nil then add(',"current":', current and 'true' or 'false') end
  add('}')
  return table.concat(out)
end
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
