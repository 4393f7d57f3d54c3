-- Returns one record, by its job id or by the id of its message.
-- KEYS: 1 job:{id}, 2 job_message:{id}    ARGV: 1 the prefix of job keys, 2 id
-- Returns {id, fields and values alternating} or nothing. (A former record is converted.)

local id, key = ARGV[2], KEYS[1]
local fields = redis.pcall('HGETALL', key)
if fields.err then
  replace_former_record(key)
  fields = redis.call('HGETALL', key)
end
if #fields == 0 then
  id = redis.call('GET', KEYS[2])
  if not id then return false end
  fields = redis.call('HGETALL', ARGV[1] .. id)
end
if #fields == 0 then return false end
return { id, fields }
