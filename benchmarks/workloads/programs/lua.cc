#include <stdlib.h>

#include <string>
#include <vector>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/draw.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr char kScript[] =
#include "benchmarks/workloads/programs/work.lua.inc"
    ;

constexpr uint64_t kSteps = 600'000;
constexpr uint32_t kSlots = 20'000;

// LuaJIT has an allocator of its own and may be installed as `lua`.
bool IsLuaJit(const std::string& path) {
  char* const target = realpath(path.c_str(), nullptr);
  const bool is = target != nullptr &&
                  std::string(target).find("luajit") != std::string::npos;
  free(target);
  return is;
}

std::string FindLua() {
  for (const char* const name :
       {"lua5.4", "lua5.3", "lua5.2", "lua5.1", "lua"}) {
    std::string path = FindProgram(name);
    if (!path.empty() && !IsLuaJit(path)) return path;
  }
  Die(kCannotRun, "lua: lua is not installed");
}

// What the script must print.
std::string Expected(Draw draw, uint64_t steps) {
  std::vector<uint64_t> held(kSlots);
  uint64_t total = 0;
  for (uint64_t step = 1; step <= steps; ++step) {
    uint64_t& slot = held[draw.Below(kSlots)];
    if (slot != 0) total += step - slot;
    slot = step;
  }
  const uint64_t parts = steps / 4;
  uint64_t length = parts == 0 ? 0 : parts - 1;  // line ends
  uint64_t threes = 0;
  for (uint64_t i = 1; i <= parts; ++i) {
    const uint64_t tail = draw.Below(40);
    length += std::string("part ").size() + std::to_string(i).size() + tail;
    threes += tail / 3;
  }
  const uint64_t made = steps / 50 * (1 + 2 + 3 + 4 + 5);
  return std::to_string(total) + " " + std::to_string(length) + " " +
         std::to_string(threes) + " " + std::to_string(made) + "\n";
}

}  // namespace

void Lua(Run& run) {
  const std::string lua = FindLua();
  const Folder folder;
  const uint64_t steps = run.Scaled(kSteps);
  const Draw draw(run.seed());
  WriteFile("work.lua", kScript);
  std::string result;
  run.FinishWith(
      RunCommand({.program = lua,
                  .arguments = {"work.lua", std::to_string(draw.state()),
                                std::to_string(steps)}},
                 &result));
  ExpectResult(lua, result, Expected(draw, steps));
  run.Count(steps);
}

}  // namespace hakmem::bench
