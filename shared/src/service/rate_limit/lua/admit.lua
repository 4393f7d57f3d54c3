-- Decides in one call whether to admit a request: the block list, then the lockout of its address, then its limits in
-- order, until one rejects. Counts of earlier limits stay when a later one rejects.
-- KEYS: 1 counts of the day, 2 rejected identifiers of the day, 3 lengths of blocked prefixes, 4 blocked prefixes, 5
-- lockout of the address, 6.. for each limit the key of its current window and, for a sliding one, of the previous
-- window; of a bucket its key
-- ARGV: 1 now, 2 family of the address (4, 6, or empty: no address), 3 its digits, 4 whether a lockout counts (1), 5
-- the field of the hour, 6 life of the counts, 7 the identifier to list when the address is rejected, then for each
-- limit its name, identifier, algorithm, limit, window, refill, cost, and rejections that were not sent here
-- Returns the verdict (0 admitted, 1 limited, 2 blocked, 3 locked out), the position of the limit that decided, its
-- remaining requests, its reset, and the wait before the next try

local PER_LIMIT, BEFORE, MOST_NAMED = 8, 7, 1000
local now = tonumber(ARGV[1])
local limits = (#ARGV - BEFORE) / PER_LIMIT

local function argument(place, number)
  return ARGV[BEFORE + (place - 1) * PER_LIMIT + number]
end

-- Counts an outcome, and lists the identifier. A new name beyond the bound drops the half with the lower counts.
local function count(name, outcome, number, identifier)
  local counted = redis.call('HINCRBY', KEYS[1], ARGV[5] .. ':' .. name .. ':' .. outcome, number)
  if counted == tonumber(number) then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
  if not identifier then return end
  local times = redis.call('ZINCRBY', KEYS[2], number, name .. ' ' .. identifier)
  if tonumber(times) == tonumber(number) then
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
    if redis.call('ZCARD', KEYS[2]) > MOST_NAMED then
      redis.call('ZREMRANGEBYRANK', KEYS[2], 0, MOST_NAMED / 2 - 1)
    end
  end
end

-- All string values are read in one command.
local key_of, next_key = {}, 6
local names = {}
if ARGV[2] ~= '' then
  names[1], names[2] = KEYS[3], KEYS[5]
end
local place_of = {}
for place = 1, limits do
  key_of[place], next_key = KEYS[next_key], next_key + 1
  if argument(place, 3) == 'sliding' then
    place_of[place] = #names + 1
    names[#names + 1] = key_of[place]
    names[#names + 1] = KEYS[next_key]
    next_key = next_key + 1
  end
end
local read = #names > 0 and redis.call('MGET', unpack(names)) or {}

if ARGV[2] ~= '' then
  local ends = blocked(KEYS[4], read[1], ARGV[2], ARGV[3], now)
  if ends then
    count(argument(1, 1), 'refused', 1, ARGV[7])
    return {2, 1, 0, ends, ends == 0 and 0 or ends - now}
  end
  local locked = tonumber(read[2] or 0)
  if ARGV[4] == '1' and locked > now then
    count(argument(1, 1), 'refused', 1, ARGV[7])
    return {3, 1, 0, locked, locked - now}
  end
end

-- Each function returns whether the limit admits, the remaining requests, the reset, and the wait.
local spend = {}

function spend.sliding(place, counter, limit, window, _, cost)
  local current = tonumber(read[place_of[place]] or 0)
  local previous = tonumber(read[place_of[place] + 1] or 0)
  local reset = (math.floor(now / window) + 1) * window
  local used = slid(window, now, current, previous)
  if cost > 0 and used >= limit then
    return false, 0, reset, until_slid(limit, window, now, current, previous)
  end
  local counted = redis.call('INCRBY', counter, cost)
  if counted == cost then redis.call('PEXPIRE', counter, window * 2 + 1000) end
  local left = limit - (used - current + counted)
  return left >= 0, math.max(0, left), reset, left >= 0 and 0 or until_slid(limit, window, now, counted, previous)
end

function spend.fixed(_, counter, limit, window, _, cost)
  local reset = (math.floor(now / window) + 1) * window
  local counted = redis.call('INCRBY', counter, cost)
  if counted == cost then redis.call('PEXPIRE', counter, window) end
  return counted <= limit, math.max(0, limit - counted), reset, counted <= limit and 0 or reset - now
end

function spend.bucket(_, key, limit, interval, refill, cost)
  local bucket = redis.call('HMGET', key, 'refilledAt', 'tokens')
  local tokens, at = refilled(limit, interval, refill, now, bucket[1], bucket[2])
  if cost > 0 and tokens < cost then
    local times = math.max(1, math.ceil((math.min(cost, limit) - tokens) / refill))
    return false, 0, at + interval, at + times * interval - now
  end
  local left = tokens - cost
  redis.call('HSET', key, 'refilledAt', whole(at), 'tokens', whole(left))
  local life = math.ceil((limit - left) / refill) * interval
  if life > 0 then redis.call('PEXPIRE', key, whole(life)) end
  return left >= 0, math.max(0, left), at + interval, 0
end

-- The limit with the fewest remaining requests is reported to the caller.
local reported
for place = 1, limits do
  local name, identifier = argument(place, 1), argument(place, 2)
  local passes, remaining, reset, wait = spend[argument(place, 3)](place, key_of[place],
    tonumber(argument(place, 4)), tonumber(argument(place, 5)), tonumber(argument(place, 6)), tonumber(argument(place, 7)))
  local missed = tonumber(argument(place, 8))
  if not passes then
    count(name, 'refused', 1 + missed, identifier)
    return {1, place, 0, reset, wait}
  end
  count(name, 'allowed', 1)
  if missed > 0 then count(name, 'refused', missed, identifier) end
  if not reported or remaining < reported[3] then reported = {0, place, remaining, reset, 0} end
end
return reported
