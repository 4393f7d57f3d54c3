-- Records whether a second factor was verified, and in which context.
-- KEYS: 1 session:{id}
-- ARGV: 1 attempt nonce, 2 login, signing or both; '' if it is not verified, 3 and 4 the acting user and the
-- administered domain
-- Returns {'done', JSON, fields and values of the session..} | {'gone'} | {'miss'} | {'former'}

local key = KEYS[1]
local names = { 'version', 'attempt' }
for _, name in ipairs(FIELDS) do names[#names + 1] = name end
local session = fields_of(key, names)
local state = state_of(session)
if state == 'gone' then return { 'gone' } end
if state ~= 'live' then return { 'miss' } end
if not may_see(session, ARGV[3], ARGV[4]) then return { 'gone' } end
if session.former then return { 'former' } end

-- The nonces of the last attempts are kept: repeating one attempt must not undo later ones.
local ATTEMPTS = 8
local attempts = session.attempt or ''
if not attempts:find(ARGV[1], 1, true) then
  session.totpVerifiedAt, session.totpContext = nil, nil
  local fields = { 'attempt', (ARGV[1] .. attempts):sub(1, ATTEMPTS * #ARGV[1]), 'version', digits(tonumber(session.version) + 1), 'savedAt', digits(now),
    'lastUsedAt', digits(now) }
  if ARGV[2] == '' then
    redis.call('HDEL', key, 'totpVerifiedAt', 'totpContext')
  else
    session.totpVerifiedAt, session.totpContext = digits(now), ARGV[2]
    for _, part in ipairs({ 'totpVerifiedAt', session.totpVerifiedAt, 'totpContext', session.totpContext }) do
      fields[#fields + 1] = part
    end
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIREAT', key, digits(math.min(now + IDLE + USE_INTERVAL, tonumber(session.endsAt))))
end
return { 'done', view(key, session, now), unpack(redis.call('HGETALL', key)) }
