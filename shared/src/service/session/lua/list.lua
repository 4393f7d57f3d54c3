-- Lists the sessions of a user.
-- KEYS: 1 user_sessions:{userId}
-- ARGV: 1 the user, 2 the caller's session, or '', 3 '1' if Postgres was read, 4.. ids and creation times (ms) of its
-- sessions
-- Returns {ids that Postgres has and Redis does not.., '', JSON.., the most recently used first}

local user, current = ARGV[1], ARGV[2]
local ids, revoked_at, kept = index_of(KEYS[1])
local known, unknown, begun = {}, {}, {}
for _, id in ipairs(ids) do known[id] = true end
for place = 4, #ARGV, 2 do
  local id = ARGV[place]
  begun[id] = tonumber(ARGV[place + 1])
  if not known[id] then ids[#ids + 1] = id end
end
local live = {}
for _, id in ipairs(ids) do
  local key = 'session:' .. id
  local session = fields_of(key, FIELDS)
  local state = state_of(session)
  -- A string of the web app is not a session if Postgres does not have it.
  local is_logged_out = session.former and ARGV[3] == '1' and not begun[id]
  if state == 'live' and session.userId == user and not is_logged_out then
    live[#live + 1] = { id = id, used = tonumber(session.lastUsedAt), session = session }
  elseif state ~= 'gone' and state ~= 'live' and begun[id] and (begun[id] > revoked_at or id == kept) then
    unknown[#unknown + 1] = id
  end
end
table.sort(live, function(a, b) return a.used > b.used or a.used == b.used and a.id < b.id end)
unknown[#unknown + 1] = ''
for _, one in ipairs(live) do
  unknown[#unknown + 1] = view('session:' .. one.id, one.session, one.used, nil, one.id == current)
end
return unknown
