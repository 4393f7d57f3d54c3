-- Commits the outcome of an attempt, if the job still belongs to this attempt.
-- KEYS: 1 job, 2 open, 3 stats, 4 dead
-- ARGV: 1 attempt nonce, 2 fence, 3 job id, 4 status, 5 result (JSON) or '', 6 error or '', 7 not before (ms), 8 new
-- generation, 9 new number of panics, 10 life of a record after it is due (ms)
-- Returns 1 if it is committed, 0 if another delivery has claimed the job or the job has ended.

dead_key = KEYS[4]
local job = load('status', 'fence', 'calls', 'timeline', 'attempts')
if was_done(job, ARGV[1]) then return 1 end
if job.status ~= 'processing' or tonumber(job.fence) ~= tonumber(ARGV[2]) then return 0 end

local status, due = ARGV[4], math.max(now, tonumber(ARGV[7]))
local at = string.format('%.0f', now)
local note = ARGV[6]
if status == 'deferred' then note = note .. ', until ' .. string.format('%.0f', due) end
-- A deferred attempt does not count.
local attempts = tonumber(job.attempts or 0) - (status == 'deferred' and 1 or 0)
redis.call('HSET', KEYS[1], 'status', status, 'calls', with_call(job, ARGV[1]), 'updatedAt', at, 'error', ARGV[6],
  'result', ARGV[5], 'notBefore', ARGV[7], 'generation', ARGV[8], 'panics', ARGV[9], 'attempts', attempts,
  'timeline', noted(job.timeline, status, note))
local gone = { 'leaseUntil' }
if status == 'completed' then
  redis.call('HSET', KEYS[1], 'completedAt', at)
  gone = { 'leaseUntil', 'payload' } -- names, addresses and links are not kept longer than they are needed
end
redis.call('HDEL', KEYS[1], unpack(gone))
local life = status == 'dead' and DEAD_LIFE or tonumber(ARGV[10])
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', due + life))
if status ~= 'failed' then count(ARGV[3], 'processing', status, due) end
return 1
