-- Stores an event in the channel's stream and in its status key. A PUBLISH after it wakes listeners.
-- KEYS: 1 the stream, 2 the status key (not every channel has one)
-- ARGV: 1 type, 2 data (JSON), 3 entries to keep, 4 life of both keys (ms), 5 attempt nonce
-- Returns the entry's id.

-- A repetition after a lost answer finds its own nonce near the end: other events may have been published in between.
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 32)) do
  local fields = entry[2]
  for place = 1, #fields, 2 do
    if fields[place] == 'nonce' and fields[place + 1] == ARGV[5] then return entry[1] end
  end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'type', ARGV[1], 'data', ARGV[2], 'nonce', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if KEYS[2] then
  local event = '{"id":' .. cjson.encode(id) .. ',"type":' .. cjson.encode(ARGV[1]) .. ',"data":' .. ARGV[2] .. '}'
  redis.call('SET', KEYS[2], event, 'PX', ARGV[4])
end
return id
