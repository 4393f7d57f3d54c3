-- Marks a job dead: its message went to the dead-letter queue, or can never be read.
-- KEYS: 1 job, 2 open, 3 stats, 4 jobs:{type}, 5 job_message:{messageId}
-- ARGV: 1 job id, 2 type, 3 generation of the message, 4 error, 5 payload, 6 list cap, 7 message id,
-- 8 life of the message's key (ms)
-- Answers {'dead'} | {'kept', status} when the record knows better | {'busy', ms until the lease ends}

local job = load('status', 'generation', 'leaseUntil', 'timeline')
if job.status == 'completed' or job.status == 'cancelled' then return { 'kept', job.status } end
if job.status and tonumber(ARGV[3]) < tonumber(job.generation or 1) then return { 'kept', job.status } end
if job.status == 'dead' then return { 'dead' } end
local lease = tonumber(job.leaseUntil or 0)
if job.status == 'processing' and lease > now then return { 'busy', lease - now } end

if not job.status then
  adopt(ARGV[1], ARGV[2], ARGV[5], ARGV[6])
  redis.call('HSET', KEYS[1], 'attempts', '0', 'fence', '0', 'generation', ARGV[3])
end
redis.call('HSET', KEYS[1], 'status', 'dead', 'error', ARGV[4], 'messageId', ARGV[7],
  'updatedAt', string.format('%.0f', now), 'timeline', noted(job.timeline, 'dead', ARGV[4]))
redis.call('HDEL', KEYS[1], 'leaseUntil')
redis.call('PEXPIRE', KEYS[1], DEAD_LIFE)
redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[8])
count(ARGV[1], job.status, 'dead')
return { 'dead' }
