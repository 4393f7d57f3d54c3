-- Shared by the scripts that read a user's sessions; it follows session.lua.
--
-- user_sessions:{userId} is a hash. It has a field for each session, whose value is not used, and the last revocation
-- of all sessions: *at (ms), *except (the session that was kept, or empty). No session's id begins with a star.

local INDEX_LIFE = MAX_LIFETIME + 86400000
local FORMER_MEMBERS = 250       -- the number of members that are read from a set of the web app
local FORMER_PART = 10           -- the number of members in one command: few of them are live

-- Converts the web app's set of ids, from which it never removed any. Ids of live sessions become fields.
local function replace_former_index(key)
  local ids = redis.call('SRANDMEMBER', key, FORMER_MEMBERS)
  redis.call('DEL', key)
  for first = 1, #ids, FORMER_PART do
    local keys = {}
    for place = first, math.min(first + FORMER_PART - 1, #ids) do keys[#keys + 1] = 'session:' .. ids[place] end
    if redis.call('EXISTS', unpack(keys)) > 0 then
      for place, session in ipairs(keys) do
        if redis.call('EXISTS', session) == 1 then redis.call('HSET', key, ids[first + place - 1], '') end
      end
    end
  end
  redis.call('PEXPIRE', key, INDEX_LIFE)
end

-- Returns the ids of a user's sessions in Redis, and the instant and the exception of the last revocation.
local function index_of(key)
  local entries = redis.pcall('HGETALL', key)
  if entries.err then
    replace_former_index(key)
    entries = redis.call('HGETALL', key)
  end
  local ids, at, except = {}, 0, ''
  for place = 1, #entries, 2 do
    local name, value = entries[place], entries[place + 1]
    if name == '*at' then at = tonumber(value)
    elseif name == '*except' then except = value
    else ids[#ids + 1] = name end
  end
  return ids, at, except
end

local function add_to_index(key, id)
  redis.call('HSET', key, id, '')
  redis.call('PEXPIRE', key, INDEX_LIFE)
end

-- Revokes the session at a key, in any state. Only the revocation is kept, until the session would have ended.
local function mark_revoked(key, session, reused)
  redis.call('DEL', key)
  redis.call('HSET', key, 'revokedAt', digits(now), unpack(reused and { 'reused', reused } or {}))
  redis.call('PEXPIREAT', key, digits(math.max(now + TICKET_LIFE, tonumber(session.endsAt) or now + MAX_LIFETIME)))
end
