-- Publishes an event: into the channel's stream, to its listeners, and into its status key. One request, atomic.
-- KEYS: 1 the stream, 2 the status key (not every channel has one)    ARGV: 1 channel, 2 type, 3 data (JSON), 4 entries to keep,
-- 5 life of both keys (ms), 6 attempt nonce
-- Answers the entry's id.

-- A repetition after a lost answer finds its own nonce near the end: others may have published in between.
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 32)) do
  local fields = entry[2]
  for place = 1, #fields, 2 do
    if fields[place] == 'nonce' and fields[place + 1] == ARGV[6] then return entry[1] end
  end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'type', ARGV[2], 'data', ARGV[3], 'nonce', ARGV[6])
local event = '{"id":' .. cjson.encode(id) .. ',"type":' .. cjson.encode(ARGV[2]) .. ',"data":' .. ARGV[3] .. '}'
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if KEYS[2] then redis.call('SET', KEYS[2], event, 'PX', ARGV[5]) end
redis.call('PUBLISH', ARGV[1], event)
return id
