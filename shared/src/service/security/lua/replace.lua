-- Puts the copy of the block list that was made anew in the place of the present one.
-- KEYS: 1 and 2 lengths and prefixes of the new one, 3 and 4 those of the present one
-- Answers 1, or 0 where the new one is not there: it was put in place by the same call before

if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('RENAME', KEYS[2], KEYS[4])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[3])
else
  redis.call('DEL', KEYS[3])
end
return 1
