-- Ids of jobs that match, out of a part of a set that is sorted by time, the newest first.
-- KEYS: 1 jobs_dead:{type} or jobs_open:{type}
-- ARGV: 1 prefix of job keys, 2 members to look at, 3 from this millisecond on, 4 the position to go on at, 5 what the
-- error contains or '', 6 label or '', 7 tenant or '', 8 the caller's tenant or '', 9 the caller's user or '', 10 the
-- statuses that match, a comma before and after each
-- Answers {how many were looked at, {id..}}

local members = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', ARGV[3], 'LIMIT', ARGV[4], ARGV[2])
local matching = {}
for _, id in ipairs(members) do
  local job = redis.pcall('HMGET', ARGV[1] .. id, 'status', 'error', 'label', 'tenant', 'user')
  if not job.err and job[1] and ARGV[10]:find(',' .. job[1] .. ',', 1, true)
    and (ARGV[5] == '' or (job[2] or ''):find(ARGV[5], 1, true))
    and (ARGV[6] == '' or job[3] == ARGV[6])
    and (ARGV[7] == '' or job[4] == ARGV[7])
    and (ARGV[8] == '' or job[4] == ARGV[8])
    and (ARGV[9] == '' or job[5] == ARGV[9]) then
    matching[#matching + 1] = id
  end
end
return { #members, matching }
