-- Makes a job that ended badly, or waits, ready to be published again under a new generation.
-- KEYS and ARGV: those of find.lua, then 10 life of a record (ms)
-- Answers {'ready', generation, payload, {id, fields}} | {'refused', status} | {'unknown'} | {'foreign'}

local job = load('status', 'type', 'tenant', 'user', 'leaseUntil', 'committed', 'generation', 'payload', 'timeline')
local why = refusal(job)
if why then return { why } end
local generation = tonumber(job.generation or 1)
-- Queued means created, or redriven, but perhaps not published: the same generation again is the same message.
local again = job.committed == ARGV[8] or job.status == 'queued'
if not again then
  local lost = (job.payload or '') == ''
  if is_running(job) or job.status == 'completed' or lost then return { 'refused', job.status } end
  generation = generation + 1
  redis.call('HSET', job_key, 'status', 'queued', 'committed', ARGV[8], 'generation', generation, 'notBefore', '0',
    'panics', '0', 'updatedAt', string.format('%.0f', now), 'timeline', noted(job.timeline, 'queued', 'redriven'))
  redis.call('HDEL', job_key, 'leaseUntil', 'error', 'messageId', 'republished')
  redis.call('PEXPIRE', job_key, ARGV[10])
  count(id, job.status, 'queued', now)
end
return { 'ready', generation, job.payload or '{}', record() }
