-- The arithmetic of @upstash/ratelimit 2.2. All times are in milliseconds.

local function whole(number)
  return string.format('%.0f', number)
end

-- Returns the count of a sliding window: the share of the previous window decreases linearly.
local function slid(window, now, current, previous)
  return math.floor((1 - (now % window) / window) * previous) + current
end

-- Returns when a sliding window admits the next request. A count that another client raised beyond the limit is checked
-- again after one window.
local function until_slid(limit, window, now, current, previous)
  local start = math.floor(now / window) * window
  if current < limit then
    local faded = 1 - (limit - current) / previous
    return math.max(1, math.ceil(start + faded * window) + 1 - now)
  end
  local faded = math.max(0, 1 - limit / current)
  return math.min(window, math.ceil(start + window + faded * window) + 1 - now)
end

-- Returns a bucket's tokens at an instant, and the time of its last refill.
local function refilled(limit, interval, refill, now, refilled_at, tokens)
  if not refilled_at then return limit, now end
  refilled_at, tokens = tonumber(refilled_at), tonumber(tokens)
  if now >= refilled_at + interval then
    local times = math.floor((now - refilled_at) / interval)
    tokens = math.min(limit, tokens + times * refill)
    refilled_at = refilled_at + times * interval
  end
  return tokens, refilled_at
end
