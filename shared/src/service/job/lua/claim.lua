-- Grants one delivery the right to run a job, until its lease ends or a later claim replaces it.
-- KEYS: 1 job, 2 open, 3 stats, 4 jobs:{type}, 5 job_message:{messageId}, 6 dead
-- ARGV: 1 attempt nonce, 2 lease (ms), 3 message id, 4 job id, 5 type, 6 generation of the message, 7 payload, 8 life
-- of a record (ms), 9 list cap, 10 life of the message's key (ms)
-- Returns {'run', fence, attempts, panics, priority, tenant, 1 if it is paused, user} | {'busy', ms until the lease
-- ends} | {'over', status} | {'superseded'} | {'foreign'} if the record has another type

dead_key = KEYS[6]
local job = load('status', 'generation', 'attempts', 'fence', 'leaseUntil', 'nonce', 'panics', 'timeline',
  'priority', 'tenant', 'type', 'user')
if is_of_another(job, ARGV[5]) then return { 'foreign' } end
if job.status and job.nonce == ARGV[1] then
  return { 'run', tonumber(job.fence), tonumber(job.attempts), tonumber(job.panics or 0),
    job.priority or 'normal', job.tenant or '-', is_paused(job.tenant or '-') and 1 or 0, job.user or '' }
end
if job.status == 'completed' or job.status == 'cancelled' then return { 'over', job.status } end
if job.status and tonumber(ARGV[6]) < tonumber(job.generation or 1) then return { 'superseded' } end
local lease = tonumber(job.leaseUntil or 0)
-- The holder of the lease publishes a newer message after its work: here it has only arrived before the commit.
local continued = job.status == 'processing' and tonumber(ARGV[6]) > tonumber(job.generation or 1)
if job.status == 'processing' and lease > now and not continued then return { 'busy', lease - now } end

if not job.status then adopt(ARGV[4], ARGV[5], ARGV[7], ARGV[9]) end
local fence, attempts = tonumber(job.fence or 0) + 1, tonumber(job.attempts or 0) + 1
if continued then attempts = attempts - 1 end
local note = 'attempt ' .. attempts
if continued then
  note = note .. ', deferred by the one before'
elseif job.status == 'processing' then
  note = note .. ', the lease of the one before ran out'
end
redis.call('HSET', KEYS[1], 'status', 'processing', 'fence', fence, 'attempts', attempts, 'nonce', ARGV[1],
  'leaseUntil', string.format('%.0f', now + tonumber(ARGV[2])), 'messageId', ARGV[3],
  'generation', ARGV[6], 'updatedAt', string.format('%.0f', now),
  'timeline', noted(job.timeline, 'processing', note))
redis.call('PEXPIRE', KEYS[1], ARGV[8])
-- A job whose id is the message's own is found without this key.
if ARGV[3] ~= ARGV[4] then redis.call('SET', KEYS[5], ARGV[4], 'PX', ARGV[10]) end
if not (job.status and OPEN[job.status]) then count(ARGV[4], job.status, 'processing', now) end
return { 'run', fence, attempts, tonumber(job.panics or 0), job.priority or 'normal', job.tenant or '-',
  is_paused(job.tenant or '-') and 1 or 0, job.user or '' }
