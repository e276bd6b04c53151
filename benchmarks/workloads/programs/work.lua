-- Tables, strings and coroutines. Arguments: first state, steps. Runs on any
-- version of Lua from 5.1 on.
local state, steps = tonumber(arg[1]), tonumber(arg[2])

local function draw(bound)
  state = state * 16807 % 2147483647
  return state % bound
end

-- Small tables in random slots replace each other.
local held, total = {}, 0
for step = 1, steps do
  local slot = draw(20000) + 1
  local old = held[slot]
  if old then
    if old.text ~= "item " .. old.step then error("a table is not what it was") end
    total = total + step - old.step
  end
  held[slot] = { step = step, text = "item " .. step, pair = { slot, step } }
end

-- Strings: joined, searched, changed.
local parts = {}
for i = 1, steps / 4 do parts[i] = "part " .. i .. ("y"):rep(draw(40)) end
local long = table.concat(parts, "\n")
local changed, count = long:gsub("yyy", "zzzz")
if #changed ~= #long + count then error("the long string is not what it was") end
table.sort(parts)

-- Coroutines that hold a closure each.
local made = 0
for i = 1, steps / 50 do
  local generate = coroutine.wrap(function()
    for j = 1, 5 do coroutine.yield({ i, j }) end
  end)
  for _ = 1, 5 do made = made + generate()[2] end
end

print(string.format("%.0f %.0f %.0f %.0f", total, #long, count, made))
