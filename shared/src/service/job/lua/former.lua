-- Shared by every script of jobs, the reading ones too.

local DEAD_LIFE = 30 * 86400000

-- Time is Redis's, in milliseconds: instances' clocks differ, and leases must not.
local function instant()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A record of the former system is a JSON string. The first script that touches it turns it into a hash.
local function replace_former_record(key)
  local ok, former = pcall(cjson.decode, redis.call('GET', key))
  redis.call('DEL', key)
  if not ok or type(former) ~= 'table' then return end
  local fields = { 'type', tostring(former.type or 'email'), 'status', tostring(former.status or 'failed'),
    'priority', 'normal', 'tenant', '-', 'generation', '1', 'attempts', '0', 'fence', '0',
    'createdAt', string.format('%.0f', tonumber(former.createdAt) or instant()),
    'updatedAt', string.format('%.0f', tonumber(former.updatedAt) or instant()) }
  local function keep(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if former.status == 'completed' then
    keep('completedAt', string.format('%.0f', tonumber(former.completedAt) or tonumber(former.updatedAt) or instant()))
  elseif type(former.data) == 'table' then
    keep('payload', cjson.encode(former.data))
  end
  if type(former.result) == 'table' then keep('result', cjson.encode(former.result)) end
  if type(former.error) == 'string' then keep('error', former.error) end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIRE', key, DEAD_LIFE)
end
