-- Copies a session from Postgres.
-- KEYS: 1 session:{id}, 2 user_sessions:{userId}, 3 active_users:{today}, 4 active_users:{yesterday}
-- ARGV: 1 the ticket of read.lua, or '' if Postgres has a newer version than Redis, 2 id, 3 and 4 the acting user
-- and the administered domain, 5 the maximum age of a TOTP proof, 6.. fields and values of the session, lastUsedAt and
-- savedAt being those of Postgres
-- Returns {'live', JSON} | {'due', JSON, the last use (ms)} | {'gone'} | {'late'}: the ticket no longer exists

local key, index = KEYS[1], KEYS[2]
local offered = {}
for place = 6, #ARGV, 2 do offered[ARGV[place]] = ARGV[place + 1] end
local stored = fields_of(key, FIELDS)
local state = state_of(stored)
local is_newer = false
if state == 'live' then
  local version = tonumber(redis.call('HGET', key, 'version'))
  is_newer = stored.former ~= nil or version < tonumber(offered.version)
end

if state == 'gone' then return { 'gone' } end
if state ~= 'live' and (ARGV[1] == '' or stored.ticket ~= ARGV[1]) then
  -- Another reader may have read the row before the newer version was written.
  if ARGV[1] == '' and state == 'read' then redis.call('DEL', key) end
  return { 'late' }
end
local session = stored
if state ~= 'live' or is_newer then
  local _, revoked_at, kept = index_of(index)
  if tonumber(offered.createdAt) <= revoked_at and ARGV[2] ~= kept then
    mark_revoked(key, offered)
    return { 'gone' }
  end
  -- The last use in Redis is never older than the one in Postgres.
  if stored.lastUsedAt and tonumber(stored.lastUsedAt) > tonumber(offered.lastUsedAt) then
    offered.lastUsedAt = stored.lastUsedAt
  end
  if state_of(offered) ~= 'live' then
    redis.call('DEL', key)
    return { 'gone' }
  end
  local fields = {}
  for name, value in pairs(offered) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(fields))
  local idle_end = tonumber(offered.lastUsedAt) + IDLE + USE_INTERVAL
  redis.call('PEXPIREAT', key, digits(math.min(idle_end, tonumber(offered.endsAt))))
  add_to_index(index, ARGV[2])
  session = offered
end
if not may_see(session, ARGV[3], ARGV[4]) then return { 'gone' } end
-- Copying a newer version is not a use of the session.
if ARGV[1] == '' then return { 'live', view(key, session, tonumber(session.lastUsedAt), ARGV[5]) } end
local is_due = now - tonumber(session.savedAt or 0) >= SAVED_EVERY
touch(key, session, is_due and { 'savedAt', digits(now) } or nil)
local answer = view(key, session, now, ARGV[5])
if is_due then return { 'due', answer, digits(now) } end
return { 'live', answer }
