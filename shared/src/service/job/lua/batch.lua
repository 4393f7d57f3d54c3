-- Counts the statuses of the jobs of a batch.
-- KEYS: 1 job_batch:{label}    ARGV: 1 prefix of job keys, 2 tenant or '', 3 user or ''
-- Returns {status, count..} of the jobs that the caller may see; a job with an expired record counts as 'gone'.

local counts, seen = {}, false
local gone = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local job = redis.call('HMGET', ARGV[1] .. id, 'status', 'tenant', 'user')
  if not job[1] then
    gone = gone + 1
  elseif (ARGV[2] == '' or job[2] == ARGV[2]) and (ARGV[3] == '' or job[3] == ARGV[3]) then
    counts[job[1]] = (counts[job[1]] or 0) + 1
    seen = true
  end
end
local answer = {}
for status, count in pairs(counts) do
  answer[#answer + 1] = status
  answer[#answer + 1] = tostring(count)
end
-- A job without a record has no known tenant or user. It is counted for an unrestricted caller, and for one who may see
-- another job of the batch.
if gone > 0 and (seen or (ARGV[2] == '' and ARGV[3] == '')) then
  answer[#answer + 1] = 'gone'
  answer[#answer + 1] = tostring(gone)
end
return answer
