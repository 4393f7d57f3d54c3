-- Records one or more jobs of one type, all or none.
-- KEYS: 1 the first of these jobs, 2 open, 3 stats, 4 jobs:{type}, 5 idempotency:{sha256} (always passed; used if
-- ARGV[1] is not empty; see create_more.lua), 6 job_batch:{label} (always passed; used if ARGV[8] is not empty), 7..
-- the jobs after the first
-- ARGV: 1 fingerprint of the request or '', 2 life of the idempotency key (ms), 3 the answer to store (JSON), 4 type, 5
-- priority, 6 tenant, 7 user, 8 label, 9 not before (ms, 0 for now), 10 life of a record after it is due (ms), 11 list
-- cap, 12 life of an open member (ms), 13.. id and payload alternating
-- Returns {'created', answer} | {'same', first answer, status of its first job or '' if its record has expired, its not
-- before} | {'conflict'} | {'paused'}

local answer, due = ARGV[3], math.max(now, tonumber(ARGV[9]))
if ARGV[1] ~= '' then
  local first = redis.call('HMGET', KEYS[5], 'fingerprint', 'answer', 'job')
  if first[1] and first[1] ~= ARGV[1] then return { 'conflict' } end
  if first[1] then
    local job = redis.call('HMGET', first[3], 'status', 'notBefore')
    return { 'same', first[2], job[1] or '', job[2] or '0' }
  end
end
-- Ids are new, so an existing record means that this call ran before and its answer was lost.
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'created', answer } end
if is_paused(ARGV[6]) then return { 'paused' } end

if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[5], 'fingerprint', ARGV[1], 'answer', answer, 'job', KEYS[1])
  redis.call('PEXPIRE', KEYS[5], ARGV[2])
end
local at, note = string.format('%.0f', now), ''
if due > now then note = 'not before ' .. string.format('%.0f', due) end
local ids, open = {}, {}
for place = 13, #ARGV, 2 do
  local id = ARGV[place]
  local number = (place - 13) / 2
  local key = number == 0 and KEYS[1] or KEYS[6 + number]
  redis.call('HSET', key, 'type', ARGV[4], 'status', 'queued', 'priority', ARGV[5], 'tenant', ARGV[6],
    'user', ARGV[7], 'label', ARGV[8], 'payload', ARGV[place + 1], 'createdAt', at, 'updatedAt', at,
    'notBefore', string.format('%.0f', tonumber(ARGV[9])), 'generation', '1', 'attempts', '0', 'fence', '0',
    'timeline', noted(nil, 'queued', note))
  redis.call('PEXPIREAT', key, string.format('%.0f', due + tonumber(ARGV[10])))
  ids[#ids + 1] = id
  open[#open + 1] = string.format('%.0f', due)
  open[#open + 1] = id
end
if redis.call('LPUSH', KEYS[4], unpack(ids)) > tonumber(ARGV[11]) then
  redis.call('LTRIM', KEYS[4], 0, tonumber(ARGV[11]) - 1)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[12])))
redis.call('ZADD', KEYS[2], unpack(open))
redis.call('HINCRBY', KEYS[3], 'total', #ids)
if ARGV[8] ~= '' then
  redis.call('SADD', KEYS[6], unpack(ids))
  redis.call('PEXPIRE', KEYS[6], string.format('%.0f', due - now + DEAD_LIFE))
end
return { 'created', answer }
