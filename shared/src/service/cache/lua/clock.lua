-- Returns Redis's time in milliseconds: instances' clocks differ, and leases must use one clock.
local function instant()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function ms(number)
  return string.format('%.0f', number)
end

