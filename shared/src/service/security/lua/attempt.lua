-- Records an attempt, and says whether the account is locked for whoever made it.
-- KEYS: 1 what failed for the account, 2 what failed for it on the device, 3 what failed for it from the address, 4 the
-- account's known devices, 5 what failed from the address for anybody, 6 its lockout, 7 addresses seen for the account,
-- 8 accounts seen from the address
-- ARGV: 1 whether it succeeded (1), 2 device, 3 nonce, 4 address, 5 account, 6 life of failures, 7 life of devices,
-- 8 life of what was seen, 9 failures that lock one out, 10 an account for strangers, 11 an address, 12 first lockout,
-- 13 longest lockout
-- Answers whether it is locked (1), the failures in a row, the wait, and what to tell the owner with its id

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- A repetition gets the first answer.
local before = redis.call('HMGET', KEYS[1], 'nonce', 'answer', 'until', 'alertedAt')
if before[1] == ARGV[3] then return cjson.decode(before[2]) end
local function answer(locked, failures, wait, event, id)
  local said = {locked, failures, wait, event or '', id or ''}
  redis.call('HSET', KEYS[1], 'nonce', ARGV[3], 'answer', cjson.encode(said))
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  return said
end

-- Each failure beyond the bound locks for twice as long as the one before.
local function lockout(failures, bound)
  if failures < bound then return 0 end
  return math.min(tonumber(ARGV[13]), tonumber(ARGV[12]) * 2 ^ math.min(30, failures - bound))
end

-- Whoever is known counts as the device, anybody else as the address.
local known = redis.call('ZSCORE', KEYS[4], ARGV[2])
local counter = known and KEYS[2] or KEYS[3]
local own = redis.call('HMGET', counter, 'failures', 'until')
local ends = tonumber(own[2] or 0)
if not known then
  ends = math.max(ends, tonumber(before[3] or 0), tonumber(redis.call('GET', KEYS[6]) or 0))
end
redis.call('PFADD', KEYS[7], ARGV[4])
redis.call('PEXPIRE', KEYS[7], ARGV[8])
redis.call('PFADD', KEYS[8], ARGV[5])
redis.call('PEXPIRE', KEYS[8], ARGV[8])

-- Behind a lock nothing counts, and a right guess opens nothing: else guessing would go on behind it.
if ends > now then return answer(1, tonumber(own[1] or 0), ends - now) end

if ARGV[1] == '1' then
  redis.call('DEL', counter)
  redis.call('HDEL', KEYS[1], 'failures', 'until', 'alertedAt')
  local is_first = redis.call('ZCARD', KEYS[4]) == 0
  redis.call('ZADD', KEYS[4], now, ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -21)
  redis.call('PEXPIRE', KEYS[4], ARGV[7])
  if known or is_first then return answer(0, 0, 0) end
  return answer(0, 0, 0, 'new-device', string.format('%.0f', now))
end

local failures = redis.call('HINCRBY', counter, 'failures', 1)
redis.call('PEXPIRE', counter, ARGV[6])
local wait = lockout(failures, tonumber(ARGV[9]))
if wait > 0 then redis.call('HSET', counter, 'until', string.format('%.0f', now + wait)) end
if not known then
  local all = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local for_account = lockout(all, tonumber(ARGV[10]))
  if for_account > 0 then redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + for_account)) end
  local from_address = redis.call('INCR', KEYS[5])
  redis.call('PEXPIRE', KEYS[5], ARGV[6])
  local for_address = lockout(from_address, tonumber(ARGV[11]))
  if for_address > 0 then
    redis.call('SET', KEYS[6], string.format('%.0f', now + for_address), 'PX', string.format('%.0f', for_address))
  end
  wait = math.max(wait, for_account, for_address)
end
if wait == 0 then return answer(0, failures, 0) end

-- The owner is told of the first lockout, and again after a day of them or after a success.
local alerted = tonumber(before[4] or 0)
if now < alerted + tonumber(ARGV[6]) then return answer(1, failures, wait) end
redis.call('HSET', KEYS[1], 'alertedAt', string.format('%.0f', now))
return answer(1, failures, wait, 'account-locked', string.format('%.0f', now))
