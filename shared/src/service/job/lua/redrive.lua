-- Prepares a failed or waiting job for publishing under a new generation.
-- KEYS and ARGV: those of find.lua, then 10 life of a record (ms)
-- Returns {'ready', generation, payload, {id, fields}, not before (ms, 0 for now)} | {'refused', status} | {'unknown'}
-- | {'foreign'}

local job = load('status', 'type', 'tenant', 'user', 'leaseUntil', 'calls', 'generation', 'payload', 'timeline',
  'notBefore')
local why = refusal(job)
if why then return { why } end
local generation = tonumber(job.generation or 1)
-- A queued job was created or redriven, but perhaps not published: the same generation is the same message.
local again = was_done(job, ARGV[8]) or job.status == 'queued'
-- A requested delay is kept; a redrive ends the wait of a deferral.
local due = job.status == 'deferred' and 0 or tonumber(job.notBefore or 0)
if due <= now then due = 0 end
local not_before = string.format('%.0f', due)
if not again then
  local lost = (job.payload or '') == ''
  if is_running(job) or job.status == 'completed' or lost then return { 'refused', job.status } end
  generation = generation + 1
  local note = due > 0 and 'redriven, not before ' .. not_before or 'redriven'
  redis.call('HSET', job_key, 'status', 'queued', 'calls', with_call(job, ARGV[8]), 'generation', generation,
    'notBefore', not_before, 'panics', '0', 'updatedAt', string.format('%.0f', now),
    'timeline', noted(job.timeline, 'queued', note))
  redis.call('HDEL', job_key, 'leaseUntil', 'error', 'messageId', 'republished')
  redis.call('PEXPIREAT', job_key, string.format('%.0f', math.max(due, now) + tonumber(ARGV[10])))
  count(id, job.status, 'queued', string.format('%.0f', math.max(due, now)))
end
return { 'ready', generation, job.payload or '{}', record(), not_before }
