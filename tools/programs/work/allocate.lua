-- Allocates as Lua programs do: tables, strings, closures, coroutines.

-- A generator of our own: Lua's differs between versions.
local state = 1
local function choose(limit)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state // 65536) % limit
end

local held = {}
local sum = 0
for step = 1, 1000000 do
  local slot = choose(20000)
  local old = held[slot]
  if old then sum = (sum * 31 + #old.text + #old) % 1000000007 end
  held[slot] = { step, slot, text = string.rep("x", choose(100)) }
end
print("tables", sum)

local parts = {}
for i = 1, 200000 do parts[i] = "part " .. i .. string.rep("y", choose(40)) end
local long = table.concat(parts, "\n")
local count = select(2, long:gsub("yyy", "z"))
table.sort(parts)
print("strings", #long, count, parts[#parts])

local made = 0
for i = 1, 20000 do
  local generator = coroutine.wrap(function()
    for j = 1, 5 do coroutine.yield({ i, j }) end
  end)
  for _ = 1, 5 do made = made + #generator() end
end
print("coroutines", made)
