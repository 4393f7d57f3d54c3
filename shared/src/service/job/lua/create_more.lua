-- Before create.lua, for the jobs of a request that another call has begun to record. KEYS[5] is the first job of the request:
-- where it is not recorded, because the request was refused or came before, none of its jobs is.
if redis.call('EXISTS', KEYS[5]) == 0 then return { 'created' } end

-- The first call has looked.
local function is_paused() return false end

