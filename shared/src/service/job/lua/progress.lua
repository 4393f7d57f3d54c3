-- Writes the progress of an attempt. Idempotent.
-- KEYS: 1 job    ARGV: 1 fence, 2 done, 3 total
-- Returns 1 if the job still belongs to this attempt, 0 if not.

local job = load('status', 'fence')
if job.status ~= 'processing' or tonumber(job.fence) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'done', ARGV[2], 'total', ARGV[3], 'updatedAt', string.format('%.0f', now))
return 1
