-- Takes one mail for each recipient of a job from the budgets of the recipient and the tenant, as far as they allow.
-- KEYS: 1 the job's grants (a set of positions), 2 the tenant's counter of its current window, 3.. for each recipient
-- the counters of the current and of the previous window
-- ARGV: 1 mails per recipient, 2 in this window (ms), 3 mails per tenant (0: no limit), 4 in this window (ms), 5 life
-- of the grants (ms), 6 and 7 the windows that the caller assumes, of recipients and of the tenant, 8.. the positions
-- of the recipients in the job
-- Returns for each recipient 0, or the milliseconds until a mail may be sent. Returns -1 and the time if the caller's
-- windows are not current: nothing is taken, and the caller repeats the call with the current ones.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local tenant_limit, tenant_window = tonumber(ARGV[3]), tonumber(ARGV[4])

local index = math.floor(now / window)
if whole(index) ~= ARGV[6] or whole(math.floor(now / tenant_window)) ~= ARGV[7] then return { -1, now } end

local places = {}
for place = 8, #ARGV do places[#places + 1] = ARGV[place] end
local granted = redis.call('SMISMEMBER', KEYS[1], unpack(places))

local left, day_key = math.huge, nil
if tenant_limit > 0 then
  day_key = KEYS[2]
  left = tenant_limit - tonumber(redis.call('GET', day_key) or 0)
end

-- All counters are read in one command, and written in one.
local counters = {}
for number = 3, #KEYS do counters[number - 2] = KEYS[number] end
local counts, before, used = redis.call('MGET', unpack(counters)), {}, {}

local answer, fresh = {}, {}
for number, place in ipairs(places) do
  answer[number] = 0
  if granted[number] == 0 then
    local key = counters[2 * number - 1]
    before[key] = counts[2 * number - 1] or false
    local current = tonumber(before[key] or 0) + (used[key] or 0)
    local previous = tonumber(counts[2 * number] or 0)
    if slid(window, now, current, previous) >= limit then
      answer[number] = until_slid(limit, window, now, current, previous)
    elseif left <= 0 then
      answer[number] = (math.floor(now / tenant_window) + 1) * tenant_window - now
    else
      used[key] = (used[key] or 0) + 1
      left = left - 1
      fresh[#fresh + 1] = place
    end
  end
end

for key, count in pairs(used) do
  if before[key] then
    redis.call('INCRBY', key, count)
  else
    redis.call('SET', key, count, 'PX', window * 2 + 1000)
  end
end
if #fresh > 0 then
  if day_key and redis.call('INCRBY', day_key, #fresh) == #fresh then
    redis.call('PEXPIRE', day_key, tenant_window)
  end
  redis.call('SADD', KEYS[1], unpack(fresh))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return answer
