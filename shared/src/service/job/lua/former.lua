-- Shared by every script of jobs, including the reading ones.

local DEAD_LIFE = 30 * 86400000

-- Returns Redis's time in milliseconds: instances' clocks differ, and leases must use one clock.
local function instant()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Returns the members of a JSON object as their original text. Decoding would change them: empty lists become objects,
-- and long numbers lose their last digits. The text is known to be valid.
local function raw_members(text)
  local members, depth, from, name = {}, 0, nil, nil
  local place = 1
  while true do
    place = text:find('["%[%]{},:]', place)
    if not place then return members end
    local sign = text:sub(place, place)
    if sign == '"' then
      local start = place
      repeat
        place = text:find('["\\\\]', place + 1)
        local escaped = text:sub(place, place) == '\\'
        if escaped then place = place + 1 end
      until not escaped
      if depth == 1 and not from then name = text:sub(start + 1, place - 1) end
    elseif sign == ':' then
      if depth == 1 then from = place + 1 end
    else
      local closes = sign == '}' or sign == ']'
      if depth == 1 and (sign == ',' or closes) and from then
        members[name] = text:sub(from, place - 1):match('^%s*(.-)%s*$')
        from = nil
      end
      if closes then depth = depth - 1 elseif sign ~= ',' then depth = depth + 1 end
    end
    place = place + 1
  end
end

-- Converts a record of the former system, a JSON string. The first script that accesses it makes it a hash.
local function replace_former_record(key)
  local text = redis.call('GET', key)
  local ok, former = pcall(cjson.decode, text)
  redis.call('DEL', key)
  if not ok or type(former) ~= 'table' then return end
  local fields = { 'type', tostring(former.type or 'email'), 'status', tostring(former.status or 'failed'),
    'priority', 'normal', 'tenant', '-', 'generation', '1', 'attempts', '0', 'fence', '0',
    'createdAt', string.format('%.0f', tonumber(former.createdAt) or instant()),
    'updatedAt', string.format('%.0f', tonumber(former.updatedAt) or instant()) }
  local raw = raw_members(text)
  local function keep(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if former.status == 'completed' then
    keep('completedAt', string.format('%.0f', tonumber(former.completedAt) or tonumber(former.updatedAt) or instant()))
  elseif type(former.data) == 'table' then
    keep('payload', raw.data or cjson.encode(former.data))
  end
  if type(former.result) == 'table' then keep('result', raw.result or cjson.encode(former.result)) end
  if type(former.error) == 'string' then keep('error', former.error) end
  redis.call('HSET', key, unpack(fields))
  redis.call('PEXPIRE', key, DEAD_LIFE)
end
