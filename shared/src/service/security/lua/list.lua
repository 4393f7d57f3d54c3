-- The block-list lookup of an address: its prefixes of the lengths in use are looked up in one command.

-- Returns the first `length` bits of an address, as digits.
local function prefix(digits, length)
  local full, rest = math.floor(length / 4), length % 4
  local text = string.sub(digits, 1, full)
  if rest == 0 then return text end
  local unit = 2 ^ (4 - rest)
  local digit = tonumber(string.sub(digits, full + 1, full + 1), 16)
  return text .. string.format('%x', math.floor(digit / unit) * unit)
end

-- Returns when a block ends (0: never), or nothing. `lengths` is the value of blocklist:lengths.
local function blocked(key, lengths, family, digits, now)
  local fields = {}
  for of, length in string.gmatch(lengths or '', '(%d)/(%d+)') do
    if of == family then fields[#fields + 1] = of .. '/' .. length .. ':' .. prefix(digits, tonumber(length)) end
  end
  if #fields == 0 then return nil end
  local found, longest = redis.call('HMGET', key, unpack(fields)), nil
  for number = 1, #fields do
    local ends = tonumber(found[number] or -1)
    if ends == 0 then return 0 end
    if ends > now and ends > (longest or 0) then longest = ends end
  end
  return longest
end
