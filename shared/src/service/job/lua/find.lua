-- Finds a job by its id or by the id of its message. Follows record.lua.
-- KEYS: 1 job:{id}, 2 job_message:{id}
-- ARGV: 1 id, 2 the prefix of job keys, 3 of open sets, 4 of counters, 5 the caller's tenant or '', 6 the caller's user
-- or '', 7 the supported types, with a comma before and after each, 8 attempt nonce, 9 the prefix of dead sets

local id = ARGV[1]
if redis.call('EXISTS', job_key) == 0 then
  id = redis.call('GET', KEYS[2]) or ''
  job_key = ARGV[2] .. id
end

-- Returns why this caller cannot control the job, or nothing. A job that the caller may not see is unknown.
local function refusal(job)
  local seen = (ARGV[5] == '' or job.tenant == ARGV[5]) and (ARGV[6] == '' or job.user == ARGV[6])
  if not job.status or not seen then return 'unknown' end
  if not ARGV[7]:find(',' .. (job.type or '') .. ',', 1, true) then return 'foreign' end
  open_key, stats_key, dead_key = ARGV[3] .. job.type, ARGV[4] .. job.type, ARGV[9] .. job.type
end

local function is_running(job)
  return job.status == 'processing' and tonumber(job.leaseUntil or 0) > now
end

local function record()
  return { id, redis.call('HGETALL', job_key) }
end
