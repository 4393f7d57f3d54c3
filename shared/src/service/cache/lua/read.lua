-- Reads an entry; where there is nothing to answer with, or what there is has become stale, elects the one reader that
-- fills it. Follows clock.lua.
-- KEYS: 1 the entry, 2 the figures of the day
-- ARGV: 1 attempt nonce, 2 the lease of an elected reader (ms), 3 life of an entry that nobody has filled yet (ms),
-- 4 for how long a string that the web app wrote is believed (ms; 0: not at all), 5 '1' if an entry without parties is
-- of no use to this reader, 6 the kind's name, 7 life of the figures (s), 8 '1' to elect, '' to look only: that is how it
-- travels with the guard's question, which may refuse the request, and then writes nothing but the figures
-- Answers {'hit' or 'stale', generation, value, parties} | {'elected', generation, now (ms), value, parties}, where an
-- empty value is that of an id that is not there, and false none at all | {'busy', ms until the lease ends} | {'due'}: an
-- election is due, and this only looks

local function count(what)
  if redis.call('HINCRBY', KEYS[2], ARGV[6] .. ':' .. what, 1) == 1 then redis.call('EXPIRE', KEYS[2], ARGV[7]) end
end

-- The web app kept plain strings of JSON here. One that is no object, and one of a kind that is not believed, goes.
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

-- An entry without a time of its own is fresh for as long as it lives.
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
