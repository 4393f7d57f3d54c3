-- Computes the score of a visitor.
-- KEYS: 1 prefix lengths in use, 2 blocked prefixes, 3 lockout of the address, 4 consecutive denials of the address, 5
-- accounts seen from the address, 6 failures of the account, 7 failures of the device, 8 failures of the account from
-- the address, 9 the account's known devices, 10 addresses seen for the account (6 to 10: only with an account)
-- ARGV: 1 family of the address, 2 its digits, 3 device, 4 the user agent's reason or empty, 5 whether an account is
-- named (1), 6 life of denials, 7 the path's reason or empty
-- Returns the score and its reasons

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local score, reasons = 0, {}
local function add(points, reason)
  score = math.min(100, score + points)
  reasons[#reasons + 1] = reason
end

local read = redis.call('MGET', KEYS[1], KEYS[3], KEYS[4])
if blocked(KEYS[2], read[1], ARGV[1], ARGV[2], now) then add(100, 'address-blocked') end
if ARGV[4] ~= '' then add(40, ARGV[4]) end
if ARGV[7] ~= '' then add(40, ARGV[7]) end

local ends = tonumber(read[2] or 0)
local known = false
if ARGV[5] == '1' then
  known = redis.call('ZSCORE', KEYS[9], ARGV[3])
  local own = redis.call('HGET', known and KEYS[7] or KEYS[8], 'until')
  local unknown_devices = redis.call('HGET', KEYS[6], 'until')
  ends = known and tonumber(own or 0) or math.max(ends, tonumber(own or 0), tonumber(unknown_devices or 0))
  if not known and redis.call('ZCARD', KEYS[9]) > 0 then add(20, 'new-device') end
  local addresses = redis.call('PFCOUNT', KEYS[10])
  if addresses >= 15 then add(40, 'many-addresses-for-account')
  elseif addresses >= 5 then add(20, 'many-addresses-for-account') end
end
if ends > now then add(100, 'locked-out') end

local accounts = redis.call('PFCOUNT', KEYS[5])
if accounts >= 30 then add(60, 'many-accounts-from-address')
elseif accounts >= 10 then add(40, 'many-accounts-from-address') end

local refusals = tonumber(read[3] or 0)
if refusals >= 10 then add(40, 'refusals-in-a-row')
elseif refusals >= 3 then add(20, 'refusals-in-a-row') end

if score >= 80 then
  redis.call('INCR', KEYS[4])
  redis.call('PEXPIRE', KEYS[4], ARGV[6])
elseif score < 40 and refusals > 0 then
  redis.call('DEL', KEYS[4])
end
return {score, reasons}
