-- Jobs that have been due for a while and that no delivery has claimed: their messages may be lost. Without a nonce only
-- their ids are given. With one, those of the ids are given whole that the caller names; they are noted, and given again
-- only after four times as long; whoever gives them to the queue twice does no harm.
-- KEYS: 1 (unused), 2 open, 3 stats
-- ARGV: 1 prefix of job keys, 2 how long a job must have been due (ms), 3 jobs to give at the most, 4 jobs to look at at
-- the most, 5 attempt nonce or '', 6 the ids, a comma before and after each
-- Answers {{id, generation, priority, tenant, payload}..}, or {id..} without a nonce

local late = now - tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', open_key, '-inf', string.format('%.0f', late), 'WITHSCORES',
  'LIMIT', 0, ARGV[4])
local given = {}
for place = 1, #due, 2 do
  if #given >= tonumber(ARGV[3]) then break end
  local id, since = due[place], tonumber(due[place + 1])
  job_key = ARGV[1] .. id
  local job = load('status', 'generation', 'priority', 'tenant', 'payload', 'republished', 'republishedBy', 'timeline')
  local times = tonumber(job.republished or 0)
  local again = job.republishedBy == ARGV[5]
  if not job.status then
    redis.call('ZREM', open_key, id) -- its record has run out
  elseif (job.status == 'queued' or job.status == 'deferred') and (job.payload or '') ~= ''
    and (ARGV[5] == '' or ARGV[6]:find(',' .. id .. ',', 1, true))
    and (again or since + tonumber(ARGV[2]) * 4 ^ times <= now) and not is_paused(job.tenant or '-') then
    if ARGV[5] == '' then
      given[#given + 1] = id
    else
      if not again then
        redis.call('HSET', job_key, 'republished', times + 1, 'republishedBy', ARGV[5],
          'timeline', noted(job.timeline, job.status, 'nobody has come for it: published again'))
      end
      given[#given + 1] = { id, tonumber(job.generation or 1), job.priority or 'normal', job.tenant or '-', job.payload }
    end
  end
end
return given
