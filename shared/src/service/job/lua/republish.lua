-- Returns complete jobs that still wait for a delivery, and records that they are published again. A repeated call
-- returns the same.
-- KEYS: 1 (unused), 2 (unused), 3 stats, 4.. the jobs
-- ARGV: 1 attempt nonce, 2.. the ids of the jobs, in order
-- Returns {{id, generation, priority, tenant, payload}..}

local given = {}
for place = 4, #KEYS do
  local id = ARGV[place - 2]
  job_key = KEYS[place]
  local job = load('status', 'generation', 'priority', 'tenant', 'payload', 'republished', 'republishedBy', 'timeline')
  if (job.status == 'queued' or job.status == 'deferred') and not is_paused(job.tenant or '-') then
    if job.republishedBy ~= ARGV[1] then
      redis.call('HSET', job_key, 'republished', tonumber(job.republished or 0) + 1, 'republishedBy', ARGV[1],
        'timeline', noted(job.timeline, job.status, 'no delivery came for it: published again'))
    end
    given[#given + 1] = { id, tonumber(job.generation or 1), job.priority or 'normal', job.tenant or '-', job.payload }
  end
end
return given
