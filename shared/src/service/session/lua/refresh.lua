-- Replaces a session's refresh token with the next one.
-- KEYS: 1 session:{id}
-- ARGV: 1 SHA-256 of the token, 2 SHA-256 of the next token, 3 grace period of the previous token (ms), 4 how many
-- former tokens are kept, 5 and 6 the acting user and the administered domain
-- Returns {'rotated', fields and values of the session..} | {'kept'}: within the grace period | {'reused', userId}:
-- revoked, and to be removed from the user's index; the same call again has no userId | {'invalid', version} |
-- {'stale'}: the next token was used before | {'gone'} | {'miss'} | {'former'}
-- The same call again returns the same answer: the caller chooses the next token.

local HALF = 32                  -- half of a former token's SHA-256 is kept
local key, given, next_hash = KEYS[1], ARGV[1], ARGV[2]
local names = { 'refreshHash', 'rotated', 'rotatedAt', 'version', 'reused' }
for _, name in ipairs(FIELDS) do names[#names + 1] = name end
local session = fields_of(key, names)
local state = state_of(session)
if state == 'gone' then return { session.reused == given and 'reused' or 'gone' } end
if state ~= 'live' then return { 'miss' } end
if not may_see(session, ARGV[5], ARGV[6]) then return { 'gone' } end
if session.former then return { 'former' } end

local rotated = session.rotated or ''
-- Returns whether a hash is that of a former token, and whether it is the latest of them.
local function find(hash)
  local half = hash:sub(1, HALF)
  for place = 1, #rotated, HALF do
    if rotated:sub(place, place + HALF - 1) == half then return true, place == 1 end
  end
  return false, false
end

local is_former, is_previous = find(given)
if session.refreshHash == given then
  if next_hash == given or find(next_hash) then return { 'stale' } end
  rotated = (given:sub(1, HALF) .. rotated):sub(1, HALF * tonumber(ARGV[4]))
  redis.call('HSET', key, 'refreshHash', next_hash, 'rotated', rotated, 'rotatedAt', digits(now),
    'version', digits(tonumber(session.version) + 1), 'lastUsedAt', digits(now), 'savedAt', digits(now))
  redis.call('PEXPIREAT', key, digits(math.min(now + IDLE + USE_INTERVAL, tonumber(session.endsAt))))
  return { 'rotated', unpack(redis.call('HGETALL', key)) }
end
if is_previous and session.refreshHash == next_hash then
  return { 'rotated', unpack(redis.call('HGETALL', key)) }
end
if is_previous and now - tonumber(session.rotatedAt) <= tonumber(ARGV[3]) then return { 'kept' } end
if is_former then
  mark_revoked(key, session, given)
  return { 'reused', session.userId }
end
return { 'invalid', session.version }
