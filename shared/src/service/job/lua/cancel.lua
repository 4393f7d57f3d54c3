-- Cancels a job that is not running. A later delivery of its message finds it cancelled and does nothing.
-- KEYS and ARGV: those of find.lua
-- Returns {'cancelled', {id, fields}} | {'refused', status} | {'unknown'} | {'foreign'}

local job = load('status', 'type', 'tenant', 'user', 'leaseUntil', 'calls', 'timeline')
local why = refusal(job)
if why then return { why } end
if not was_done(job, ARGV[8]) then
  if is_running(job) or not OPEN[job.status] then return { 'refused', job.status } end
  redis.call('HSET', job_key, 'status', 'cancelled', 'calls', with_call(job, ARGV[8]),
    'updatedAt', string.format('%.0f', now), 'timeline', noted(job.timeline, 'cancelled', 'by request'))
  redis.call('HDEL', job_key, 'leaseUntil')
  -- The deferral ends with the job; a requested delay stays.
  if job.status == 'deferred' then redis.call('HSET', job_key, 'notBefore', '0') end
  count(id, job.status, 'cancelled')
end
return { 'cancelled', record() }
