-- Time is Redis's, in milliseconds: instances' clocks differ, and leases must not.
local function instant()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function ms(number)
  return string.format('%.0f', number)
end

