-- Records an attempt, and returns whether the account is locked for its visitor.
-- KEYS: 1 failures of the account, 2 its failures on the device, 3 its failures from the address, 4 the account's known
-- devices, 5 failures from the address over all accounts, 6 its lockout, 7 addresses seen for the account, 8 accounts
-- seen from the address, 9 the stored answer of this attempt
-- ARGV: 1 whether it succeeded (1), 2 device, 3 address, 4 account, 5 life of failures, 6 life of devices, 7 life of
-- seen addresses and accounts, 8 failures that lock a device or address out, 9 that lock an account for unknown
-- devices, 10 that lock an address, 11 first lockout, 12 longest lockout, 13 life of an answer
-- Returns whether it is locked (1), the consecutive failures, the wait, and the alert for the owner with its id

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- A repetition gets the first answer, even if there were other attempts in between.
local answered = redis.call('GET', KEYS[9])
if answered then return cjson.decode(answered) end
local before = redis.call('HMGET', KEYS[1], 'until', 'alertedAt')
local function answer(locked, failures, wait, event, id)
  local reply = {locked, failures, wait, event or '', id or ''}
  redis.call('SET', KEYS[9], cjson.encode(reply), 'PX', ARGV[13])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  return reply
end

-- Each failure beyond the bound doubles the lockout.
local function lockout(failures, bound)
  if failures < bound then return 0 end
  return math.min(tonumber(ARGV[12]), tonumber(ARGV[11]) * 2 ^ math.min(30, failures - bound))
end

-- A known device is counted as the device, any other visitor as the address.
local known = redis.call('ZSCORE', KEYS[4], ARGV[2])
local counter = known and KEYS[2] or KEYS[3]
local own = redis.call('HMGET', counter, 'failures', 'until')
local ends = tonumber(own[2] or 0)
if not known then
  ends = math.max(ends, tonumber(before[1] or 0), tonumber(redis.call('GET', KEYS[6]) or 0))
end
redis.call('PFADD', KEYS[7], ARGV[3])
redis.call('PEXPIRE', KEYS[7], ARGV[7])
redis.call('PFADD', KEYS[8], ARGV[4])
redis.call('PEXPIRE', KEYS[8], ARGV[7])

-- During a lockout nothing counts, and a correct password does not log in: otherwise guessing could continue.
if ends > now then return answer(1, tonumber(own[1] or 0), ends - now) end

if ARGV[1] == '1' then
  redis.call('DEL', counter)
  redis.call('HDEL', KEYS[1], 'failures', 'until', 'alertedAt')
  local is_first = redis.call('ZCARD', KEYS[4]) == 0
  redis.call('ZADD', KEYS[4], now, ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -21)
  redis.call('PEXPIRE', KEYS[4], ARGV[6])
  if known or is_first then return answer(0, 0, 0) end
  return answer(0, 0, 0, 'new-device', string.format('%.0f', now))
end

local failures = redis.call('HINCRBY', counter, 'failures', 1)
redis.call('PEXPIRE', counter, ARGV[5])
local wait = lockout(failures, tonumber(ARGV[8]))
if wait > 0 then redis.call('HSET', counter, 'until', string.format('%.0f', now + wait)) end
if not known then
  local all = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local for_account = lockout(all, tonumber(ARGV[9]))
  if for_account > 0 then redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + for_account)) end
  local from_address = redis.call('INCR', KEYS[5])
  redis.call('PEXPIRE', KEYS[5], ARGV[5])
  local for_address = lockout(from_address, tonumber(ARGV[10]))
  if for_address > 0 then
    redis.call('SET', KEYS[6], string.format('%.0f', now + for_address), 'PX', string.format('%.0f', for_address))
  end
  wait = math.max(wait, for_account, for_address)
end
if wait == 0 then return answer(0, failures, 0) end

-- The owner is alerted about the first lockout, and again after a day of lockouts or after a success.
local alerted = tonumber(before[2] or 0)
if now < alerted + tonumber(ARGV[5]) then return answer(1, failures, wait) end
redis.call('HSET', KEYS[1], 'alertedAt', string.format('%.0f', now))
return answer(1, failures, wait, 'account-locked', string.format('%.0f', now))
