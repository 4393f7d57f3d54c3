-- Replaces the current copy of the block list with the rebuilt one.
-- KEYS: 1 and 2 lengths and prefixes of the new copy, 3 and 4 those of the current one
-- Returns 1, or 0 if there is no new copy: an earlier try of the same call has already moved it

if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('RENAME', KEYS[2], KEYS[4])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[3])
else
  redis.call('DEL', KEYS[3])
end
return 1
