-- Makes a job that ended badly, or waits, ready to be published again under a new generation.
-- KEYS: 1 job, 2 open, 3 stats    ARGV: 1 attempt nonce, 2 job id, 3 life of a record (ms)
-- Answers {'ready', generation, priority, tenant, payload} | {'refused', status} | {'unknown'}

local job = load('status', 'leaseUntil', 'committed', 'generation', 'priority', 'tenant', 'payload', 'timeline')
if not job.status then return { 'unknown' } end
local generation = tonumber(job.generation or 1)
-- Queued means created, or redriven, but perhaps not published: the same generation again is the same message.
local again = job.committed == ARGV[1] or job.status == 'queued'
if not again then
  local running = job.status == 'processing' and tonumber(job.leaseUntil or 0) > now
  if running or job.status == 'completed' or (job.payload or '') == '' then return { 'refused', job.status } end
  generation = generation + 1
  redis.call('HSET', KEYS[1], 'status', 'queued', 'committed', ARGV[1], 'generation', generation, 'notBefore', '0',
    'panics', '0', 'updatedAt', string.format('%.0f', now), 'timeline', noted(job.timeline, 'queued', 'redriven'))
  redis.call('HDEL', KEYS[1], 'leaseUntil', 'error', 'messageId')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  count(ARGV[2], job.status, 'queued', now)
end
return { 'ready', generation, job.priority or 'normal', job.tenant or '-', job.payload or '{}' }
