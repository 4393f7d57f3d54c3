-- Copies entries of the block list as Postgres has them now.
-- KEYS: 1 prefix lengths in use, 2 prefixes
-- ARGV: for each entry its length (4/24), its prefix, and the millisecond of its end (0: never; -1: removed)

local changed = false
for place = 1, #ARGV, 3 do
  local length, ends = ARGV[place], ARGV[place + 2]
  local field, counter = length .. ':' .. ARGV[place + 1], '#' .. length
  if ends == '-1' then
    if redis.call('HDEL', KEYS[2], field) == 1 and redis.call('HINCRBY', KEYS[2], counter, -1) == 0 then
      redis.call('HDEL', KEYS[2], counter)
      changed = length
    end
  elseif redis.call('HSET', KEYS[2], field, ends) == 1 and redis.call('HINCRBY', KEYS[2], counter, 1) == 1 then
    changed = length
  end
  if changed then
    local words = {}
    for word in string.gmatch(redis.call('GET', KEYS[1]) or '', '[^,]+') do
      if word ~= changed then words[#words + 1] = word end
    end
    if ends ~= '-1' then words[#words + 1] = changed end
    if #words > 0 then
      redis.call('SET', KEYS[1], table.concat(words, ','))
    else
      redis.call('DEL', KEYS[1])
    end
    changed = false
  end
end
return 1
