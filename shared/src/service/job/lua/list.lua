-- Returns a page of jobs, newest first, over one or more types. It reads at most ARGV[5] records, so a page may be
-- short and not the last one.
-- KEYS: jobs:{type} of each type
-- ARGV: 1 prefix of job keys, 2 status or '', 3 label or '', 4 limit, 5 records to read, 6 the cursor of the previous
-- page, or '', 7 tenant or '', 8 user or '', 9.. names of the returned fields, the first being one that every record
-- has
-- Returns {cursor, or '' at the end, {id, {values}}..}. A cursor contains, for each list, how many of its ids precede
-- the next page, and the position of the last record that was read.

-- Ids are recorded in the order of their time, except those that instances record at the same moment: an id is at most
-- this far from its position. So it is enough to read a list this far ahead.
local LEEWAY = 16
local PART = LEEWAY + 24         -- a typical page is one read of a list

-- Returns the position of an id in time. Our ids begin with their millisecond (UUIDv7); for others the record has it.
local function position(id)
  if id:byte(9) == 45 and id:byte(14) == 45 and id:byte(15) == 55 then
    return id:sub(1, 8) .. id:sub(10, 13) .. ':' .. id
  end
  local ms = tonumber((redis.pcall('HGET', ARGV[1] .. id, 'createdAt')) or 0) or 0
  return string.format('%08x%04x', math.floor(ms / 65536), ms % 65536) .. ':' .. id
end

local places, before = ARGV[6]:match('^([%d.]*):(.*)$')
places, before = places or '', before or ''
local lists = {}
for number, key in ipairs(KEYS) do lists[number] = { key = key, ahead = {}, read = 0, has_more = true } end
local number = 0
for place in places:gmatch('%d+') do
  number = number + 1
  -- Ids that were recorded since then precede it.
  if lists[number] then lists[number].read = math.max(0, tonumber(place) - LEEWAY) end
end

-- Reads ahead, so that the newest id of the buffer is the newest of the list. The buffer is sorted, the newest last.
local function read_on(list)
  while list.has_more and #list.ahead < LEEWAY do
    local ids = redis.call('LRANGE', list.key, list.read, list.read + PART - 1)
    list.read = list.read + #ids
    list.has_more = #ids == PART
    for _, id in ipairs(ids) do
      local at = position(id)
      if before == '' or at < before then list.ahead[#list.ahead + 1] = at end
    end
    table.sort(list.ahead)
  end
end

-- Returns the newest position of all lists, or nothing.
local function next_position()
  local newest
  for _, list in ipairs(lists) do
    read_on(list)
    local at = list.ahead[#list.ahead]
    if at and (not newest or at > newest.ahead[#newest.ahead]) then newest = list end
  end
  return newest and table.remove(newest.ahead)
end

local filter = { { 'status', ARGV[2] }, { 'label', ARGV[3] }, { 'tenant', ARGV[7] }, { 'user', ARGV[8] } }
local names, values = {}, {}
for _, pair in ipairs(filter) do
  if pair[2] ~= '' then
    names[#names + 1] = pair[1]
    values[#values + 1] = pair[2]
  end
end

-- Runs a command on a record, and converts the record first if it is a former one.
local function ask(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if answer.err then
    replace_former_record(key)
    answer = redis.call(command, key, ...)
  end
  return answer
end

-- Reads only the filtered fields of a record that may not match: payloads are long.
local function fits(key)
  if #names == 0 then return true end
  local found = ask('HMGET', key, unpack(names))
  for place, value in ipairs(values) do
    if found[place] ~= value then return false end
  end
  return true
end

local shown = { unpack(ARGV, 9) }
local page, looked_at, last = {}, 0, nil
while looked_at < tonumber(ARGV[5]) and #page < tonumber(ARGV[4]) do
  local at = next_position()
  if not at then return { '', page } end
  looked_at, last = looked_at + 1, at
  local id = at:sub(14)
  local key = ARGV[1] .. id
  if fits(key) then
    local values = ask('HMGET', key, unpack(shown))
    if values[1] then page[#page + 1] = { id, values } end
  end
end
if not next_position() then return { '', page } end
for place, list in ipairs(lists) do lists[place] = string.format('%d', list.read - #list.ahead) end
return { table.concat(lists, '.') .. ':' .. last, page }
