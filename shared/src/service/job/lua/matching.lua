-- Returns matching ids of jobs from a part of a set that is sorted by time, newest first.
-- KEYS: 1 jobs_dead:{type} or jobs_open:{type}
-- ARGV: 1 prefix of job keys, 2 members to read, 3 from this millisecond on, 4 the start position, 5 a part of the
-- error or '', 6 label or '', 7 tenant or '', 8 the caller's tenant or '', 9 the caller's user or '', 10 the matching
-- statuses, with a comma before and after each
-- Returns {number of members read, {id..}}

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
