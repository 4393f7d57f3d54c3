-- Marks a job dead: its message is in the dead-letter queue, or is unreadable.
-- KEYS: 1 job, 2 open, 3 stats, 4 jobs:{type}, 5 job_message:{messageId}, 6 dead
-- ARGV: 1 job id, 2 type, 3 generation of the message, 4 error, 5 payload, 6 list cap, 7 message id, 8 life of the
-- message's key (ms), 9 attempt nonce, 10 whether the queue reports it ('1') or the worker ('')
-- Returns {'dead'} | {'kept', status} if the record has a newer state or another type | {'busy', ms until the lease
-- ends}

dead_key = KEYS[6]
local job = load('status', 'generation', 'leaseUntil', 'timeline', 'givenUp', 'calls', 'type')
if is_of_another(job, ARGV[2]) then return { 'kept', job.status } end
if was_done(job, ARGV[9]) then return { 'dead' } end
if job.status == 'completed' or job.status == 'cancelled' then return { 'kept', job.status } end
if job.status and tonumber(ARGV[3]) < tonumber(job.generation or 1) then return { 'kept', job.status } end
if job.status == 'dead' then
  -- The queue's report on a message counts once, whether or not the worker has reported it before.
  if ARGV[10] == '1' then
    if job.givenUp == ARGV[7] then return { 'kept', job.status } end
    redis.call('HSET', KEYS[1], 'givenUp', ARGV[7], 'calls', with_call(job, ARGV[9]))
  end
  return { 'dead' }
end
local lease = tonumber(job.leaseUntil or 0)
if job.status == 'processing' and lease > now then return { 'busy', lease - now } end

if not job.status then
  adopt(ARGV[1], ARGV[2], ARGV[5], ARGV[6])
  redis.call('HSET', KEYS[1], 'attempts', '0', 'fence', '0', 'generation', ARGV[3])
end
redis.call('HSET', KEYS[1], 'status', 'dead', 'error', ARGV[4], 'messageId', ARGV[7],
  'updatedAt', string.format('%.0f', now), 'timeline', noted(job.timeline, 'dead', ARGV[4]),
  'calls', with_call(job, ARGV[9]))
if ARGV[10] == '1' then redis.call('HSET', KEYS[1], 'givenUp', ARGV[7]) end
redis.call('HDEL', KEYS[1], 'leaseUntil')
redis.call('PEXPIRE', KEYS[1], DEAD_LIFE)
redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[8])
count(ARGV[1], job.status, 'dead')
return { 'dead' }
