-- Shared by every script that changes jobs; it follows former.lua, and the actual script follows it. KEYS[1] is
-- job:{id}, KEYS[2] jobs_open:{type}, KEYS[3] job_stats:{type}, unless a script says otherwise.

local NOTES = 40
-- The number of calls that a record remembers: a client repeats a call for some seconds, and a record changes rarely.
local CALLS = 40

local job_key, open_key, stats_key = KEYS[1], KEYS[2], KEYS[3]
-- jobs_dead:{type}: set by each script in which a job can become dead or stop being dead.
local dead_key

local now = instant()

local OPEN = { queued = true, processing = true, deferred = true, failed = true }

-- Returns named fields of the record, as a table; absent fields are nil.
local function load(...)
  local names = { ... }
  local values = redis.pcall('HMGET', job_key, unpack(names))
  if values.err then
    replace_former_record(job_key)
    values = redis.call('HMGET', job_key, unpack(names))
  end
  local record = {}
  for place, name in ipairs(names) do
    record[name] = values[place] or nil
  end
  return record
end

-- Returns whether this call has already changed the record, even if later calls changed it again: its answer was lost.
local function was_done(job, nonce)
  return (job.calls or ''):find(nonce, 1, true) and true or false
end

-- Returns the remembered calls with one more; the oldest is dropped if there are too many. All nonces have one length.
local function with_call(job, nonce)
  return ((job.calls or '') .. nonce):sub(-CALLS * #nonce)
end

-- Returns whether the job has another type. Its sets and counters must not be changed by this call.
local function is_of_another(job, kind)
  return job.status and job.type and job.type ~= kind
end

-- Returns the first bytes of a text, cut between characters: a record that is not UTF-8 would be unreadable.
local function cut(text, limit)
  while limit > 0 and (text:byte(limit + 1) or 0) >= 128 and text:byte(limit + 1) < 192 do limit = limit - 1 end
  return text:sub(1, limit)
end

-- Returns the timeline with one more line; the oldest are dropped if there are too many. A line is: at, status, note.
local function noted(timeline, status, note)
  local line = string.format('%.0f', now) .. '\t' .. status .. '\t' .. cut((note or ''):gsub('[%c]', ' '), 300)
  if not timeline or timeline == '' then return line end
  local _, lines = timeline:gsub('\n', '')
  if lines + 2 > NOTES then
    timeline = timeline:gsub('^[^\n]*\n', '', 1)
  end
  return timeline .. '\n' .. line
end

-- Returns whether a tenant's jobs, or all jobs of this type, are paused.
local function is_paused(tenant)
  local paused = redis.call('HMGET', stats_key, 'paused', 'paused:' .. tenant)
  return (paused[1] or paused[2]) and true or false
end

-- Updates the set of open jobs and the counters for a change of status.
local function count(id, from, to, due)
  if OPEN[to] then
    redis.call('ZADD', open_key, due or now, id)
  elseif not from or OPEN[from] then
    redis.call('ZREM', open_key, id)
  end
  if from == to then return end
  if from == 'dead' then
    -- The counters may have been lost although the record was not.
    if redis.call('HINCRBY', stats_key, 'failed', -1) < 0 then redis.call('HSET', stats_key, 'failed', 0) end
    redis.call('ZREM', dead_key, id)
  end
  if to == 'dead' then
    redis.call('HINCRBY', stats_key, 'failed', 1)
    redis.call('ZREMRANGEBYSCORE', dead_key, '-inf', string.format('%.0f', now - DEAD_LIFE))
    redis.call('ZADD', dead_key, string.format('%.0f', now), id)
  end
  if to == 'completed' then redis.call('HINCRBY', stats_key, 'completed', 1) end
end

-- Creates a record that was not created before its message: the official client published the message, or the store
-- lost its data. KEYS[4] is jobs:{type}.
local function adopt(id, kind, payload, list_cap)
  redis.call('HSET', KEYS[1], 'type', kind, 'priority', 'normal', 'tenant', '-', 'payload', payload,
    'createdAt', string.format('%.0f', now))
  if redis.call('LPUSH', KEYS[4], id) > tonumber(list_cap) then
    redis.call('LTRIM', KEYS[4], 0, tonumber(list_cap) - 1)
  end
  redis.call('HINCRBY', KEYS[3], 'total', 1)
end
