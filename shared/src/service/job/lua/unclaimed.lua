-- Returns jobs of one page of the open ones that are overdue and unclaimed: their messages may be lost. After each
-- republication a job counts only after four times as long. Members with expired records are removed.
-- KEYS: 1 (unused), 2 open, 3 stats
-- ARGV: 1 prefix of job keys, 2 how long a job must have been due (ms), 3 first of the page, 4 jobs to read
-- Returns {first of the next page or -1, {id, bytes of its payload}..}

local late = now - tonumber(ARGV[2])
local first, size = tonumber(ARGV[3]), tonumber(ARGV[4])
local due = redis.call('ZRANGEBYSCORE', open_key, '-inf', string.format('%.0f', late), 'WITHSCORES',
  'LIMIT', first, size)
local paused, kept, answer = {}, 0, { -1 }
for place = 1, #due, 2 do
  local id, since = due[place], tonumber(due[place + 1])
  job_key = ARGV[1] .. id
  local job = load('status', 'tenant', 'republished')
  local tenant, times = job.tenant or '-', tonumber(job.republished or 0)
  if not job.status then
    redis.call('ZREM', open_key, id)
  else
    kept = kept + 1
    if paused[tenant] == nil then paused[tenant] = is_paused(tenant) end
    if (job.status == 'queued' or job.status == 'deferred') and not paused[tenant]
      and since + tonumber(ARGV[2]) * 4 ^ times <= now then
      local bytes = redis.call('HSTRLEN', job_key, 'payload')
      if bytes > 0 then answer[#answer + 1] = { id, bytes } end
    end
  end
end
if #due == 2 * size then answer[1] = first + kept end
return answer
