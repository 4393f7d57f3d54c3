-- Shared by every script that changes jobs; it follows former.lua, and the scripts proper follow it.
-- KEYS[1] is job:{id}, KEYS[2] jobs_open:{type}, KEYS[3] job_stats:{type}, unless a script says otherwise.

local NOTES = 40
-- Calls that a record remembers: a client repeats a call for some seconds, and a record changes seldom.
local CALLS = 40

local job_key, open_key, stats_key = KEYS[1], KEYS[2], KEYS[3]
-- jobs_dead:{type}: set by each script by which a job can die or rise.
local dead_key

local now = instant()

local OPEN = { queued = true, processing = true, deferred = true, failed = true }

-- Named fields of the record, as a table; absent fields are nil.
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

-- Whether this very call has changed the record before, whatever has changed it since: its answer was lost.
local function was_done(job, nonce)
  return (job.calls or ''):find(nonce, 1, true) and true or false
end

-- The calls that the record remembers, with one more; the oldest goes when there are too many. All nonces are of one length.
local function with_call(job, nonce)
  return ((job.calls or '') .. nonce):sub(-CALLS * #nonce)
end

-- Whether the record is of a job that another function runs. Its sets and counters are not this call's to change.
local function is_of_another(job, kind)
  return job.status and job.type and job.type ~= kind
end

-- The first bytes of a text, without half a character at the end: a record that is no UTF-8 could not be read.
local function cut(text, limit)
  while limit > 0 and (text:byte(limit + 1) or 0) >= 128 and text:byte(limit + 1) < 192 do limit = limit - 1 end
  return text:sub(1, limit)
end

-- The timeline with one more line; the oldest go when there are too many. One line: at, status, note.
local function noted(timeline, status, note)
  local line = string.format('%.0f', now) .. '\t' .. status .. '\t' .. cut((note or ''):gsub('[%c]', ' '), 300)
  if not timeline or timeline == '' then return line end
  local _, lines = timeline:gsub('\n', '')
  if lines + 2 > NOTES then
    timeline = timeline:gsub('^[^\n]*\n', '', 1)
  end
  return timeline .. '\n' .. line
end

-- Whether deliveries of a tenant's jobs are held back, or of all jobs of this type.
local function is_paused(tenant)
  local paused = redis.call('HMGET', stats_key, 'paused', 'paused:' .. tenant)
  return (paused[1] or paused[2]) and true or false
end

-- Keeps the set of open jobs and the counters true while a job goes from one status to another.
local function count(id, from, to, due)
  if OPEN[to] then
    redis.call('ZADD', open_key, due or now, id)
  elseif not from or OPEN[from] then
    redis.call('ZREM', open_key, id)
  end
  if from == to then return end
  if from == 'dead' then
    -- The counters may have been lost while the record was not.
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

-- A record that arrived without having been created here: the official client published the message, or the store
-- lost its data. KEYS[4] is jobs:{type}.
local function adopt(id, kind, payload, list_cap)
  redis.call('HSET', KEYS[1], 'type', kind, 'priority', 'normal', 'tenant', '-', 'payload', payload,
    'createdAt', string.format('%.0f', now))
  if redis.call('LPUSH', KEYS[4], id) > tonumber(list_cap) then
    redis.call('LTRIM', KEYS[4], 0, tonumber(list_cap) - 1)
  end
  redis.call('HINCRBY', KEYS[3], 'total', 1)
end
