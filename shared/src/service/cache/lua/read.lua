-- Reads an entry. If there is none, or it is stale, elects the one reader that fills it. Follows clock.lua.
-- KEYS: 1 the entry, 2 the statistics of the day
-- ARGV: 1 attempt nonce, 2 the lease of an elected reader (ms), 3 life of an entry that is not filled yet (ms), 4 how
-- long a string of the web app is trusted (ms; 0: not at all), 5 '1' if this reader cannot use an entry without
-- parties, 6 the kind's name, 7 life of the statistics (s), 8 '1' to elect, '' to read only. In that mode the call is
-- sent together with the guard's check, which may reject the request, and writes nothing but the statistics.
-- Returns {'hit' or 'stale', generation, value, parties} | {'elected', generation, now (ms), value, parties}; an empty
-- value is that of an absent id, and false means no entry | {'busy', ms until the lease ends} | {'due'}: an election is
-- due, and the mode is read only

local function count(what)
  if redis.call('HINCRBY', KEYS[2], ARGV[6] .. ':' .. what, 1) == 1 then redis.call('EXPIRE', KEYS[2], ARGV[7]) end
end

-- The web app stored plain JSON strings here. A string that is not an object, or whose kind is not trusted, is deleted.
local function adopt()
  local former, left = redis.pcall('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
  redis.call('DEL', KEYS[1])
  local life = tonumber(ARGV[4])
  if life == 0 or type(former) ~= 'string' or not former:find('^%s*{') or not pcall(cjson.decode, former) then
    return {}
  end
  if left > 0 then life = math.min(life, left) end
  redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'value', former, 'parties', '', 'freshUntil', '', 'filler', '',
    'leaseUntil', '0')
  redis.call('PEXPIRE', KEYS[1], life)
  return { ARGV[1], former, '', '', '', '0' }
end

local entry = redis.pcall('HMGET', KEYS[1], 'generation', 'value', 'parties', 'freshUntil', 'filler', 'leaseUntil')
local elects = ARGV[8] == '1'
if entry.err then
  if not elects then return { 'due' } end
  entry = adopt()
end
local generation, value, parties, fresh_until = entry[1], entry[2], entry[3], entry[4]
if value and value ~= '' and parties == '' and ARGV[5] == '1' then value = false end

-- An entry without its own expiry is fresh for its whole life.
local now = nil
if value then
  local fresh = fresh_until == ''
  if not fresh then
    now = instant()
    fresh = now < tonumber(fresh_until)
  end
  if fresh then
    count('hit')
    return { 'hit', generation, value, parties }
  end
end

now = now or instant()
local lease = tonumber(entry[6] or 0)
if lease > now and entry[5] ~= ARGV[1] then
  if value then
    count('stale')
    return { 'stale', generation, value, parties }
  end
  return { 'busy', lease - now }
end
if not elects then return { 'due' } end
if not generation then generation = ARGV[1] end
redis.call('HSET', KEYS[1], 'generation', generation, 'filler', ARGV[1], 'leaseUntil', ms(now + tonumber(ARGV[2])))
if not entry[2] then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
count('miss')
return { 'elected', generation, now, value or false, parties or false }
