-- Precedes create.lua, for the later jobs of a request. KEYS[5] is the first job of the request. If it is not recorded,
-- because the request was refused or repeated, none of its jobs is recorded.
if redis.call('EXISTS', KEYS[5]) == 0 then return { 'created' } end

-- The first call has checked the pause.
local function is_paused() return false end

