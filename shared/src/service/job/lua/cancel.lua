-- Cancels a job that nobody runs. Its message, when it comes, finds it cancelled and does nothing.
-- KEYS: 1 job, 2 open, 3 stats    ARGV: 1 attempt nonce, 2 job id, 3 note
-- Answers {'cancelled'} | {'refused', status} | {'unknown'}

local job = load('status', 'leaseUntil', 'committed', 'timeline')
if not job.status then return { 'unknown' } end
if job.committed == ARGV[1] then return { 'cancelled' } end
local running = job.status == 'processing' and tonumber(job.leaseUntil or 0) > now
if running or not OPEN[job.status] then return { 'refused', job.status } end
redis.call('HSET', KEYS[1], 'status', 'cancelled', 'committed', ARGV[1], 'updatedAt', string.format('%.0f', now),
  'timeline', noted(job.timeline, 'cancelled', ARGV[3]))
redis.call('HDEL', KEYS[1], 'leaseUntil')
count(ARGV[2], job.status, 'cancelled')
return { 'cancelled' }
