-- A page of jobs, newest first, over one or more types. Looks at no more than ARGV[5] records, so a page may be
-- short and still have a successor.
-- KEYS: jobs:{type} of each type    ARGV: 1 prefix of job keys, 2 status or '', 3 label or '', 4 limit, 5 records to
-- look at, 6 the position to go on after, or '', 7 tenant or '', 8 user or ''
-- Answers {position of the last record looked at, or '' at the end, {id, {fields}}..}

-- Where an id stands in time. Ours carry their millisecond (UUIDv7); of others the record tells it.
local function position(id)
  local high, low = id:match('^(%x%x%x%x%x%x%x%x)%-(%x%x%x%x)%-7')
  local ms = high and tonumber(high .. low, 16)
  ms = ms or tonumber((redis.pcall('HGET', ARGV[1] .. id, 'createdAt')) or 0) or 0
  return string.format('%014.0f', ms) .. ':' .. id
end

local ids = {}
for _, list in ipairs(KEYS) do
  for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local at = position(id)
    if ARGV[6] == '' or at < ARGV[6] then ids[#ids + 1] = at end
  end
end
table.sort(ids, function(a, b) return a > b end)

local page, last = {}, ''
for place, at in ipairs(ids) do
  if place > tonumber(ARGV[5]) or #page >= tonumber(ARGV[4]) then break end
  last = at
  local id = at:sub(16)
  local fields = redis.pcall('HGETALL', ARGV[1] .. id)
  if fields.err then
    replace_former_record(ARGV[1] .. id)
    fields = redis.call('HGETALL', ARGV[1] .. id)
  end
  local record = {}
  for field = 1, #fields, 2 do record[fields[field]] = fields[field + 1] end
  local fits = #fields > 0
    and (ARGV[2] == '' or record.status == ARGV[2])
    and (ARGV[3] == '' or record.label == ARGV[3])
    and (ARGV[7] == '' or record.tenant == ARGV[7])
    and (ARGV[8] == '' or record.user == ARGV[8])
  if fits then page[#page + 1] = { id, fields } end
  if place == #ids then last = '' end
end
if #ids == 0 then last = '' end
return { last, page }
