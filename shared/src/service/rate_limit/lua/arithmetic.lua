-- The arithmetic of @upstash/ratelimit 2.2, in one place. All times are milliseconds.

local function whole(number)
  return string.format('%.0f', number)
end

-- What a sliding window has counted: the previous window fades linearly.
local function slid(window, now, current, previous)
  return math.floor((1 - (now % window) / window) * previous) + current
end

-- When a sliding window lets the next one pass. A count that somebody else drove beyond the limit is looked at again
-- after a window.
local function until_slid(limit, window, now, current, previous)
  local start = math.floor(now / window) * window
  if current < limit then
    local faded = 1 - (limit - current) / previous
    return math.max(1, math.ceil(start + faded * window) + 1 - now)
  end
  local faded = math.max(0, 1 - limit / current)
  return math.min(window, math.ceil(start + window + faded * window) + 1 - now)
end

-- A bucket at an instant: what is in it, and when it was last refilled.
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
