#include <unistd.h>

#include <deque>
#include <string>
#include <vector>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/draw.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr char kJsonScript[] =
#include "benchmarks/workloads/programs/json.py.inc"
    ;
constexpr char kDictScript[] =
#include "benchmarks/workloads/programs/dict.py.inc"
    ;
constexpr char kThreadsScript[] =
#include "benchmarks/workloads/programs/threads.py.inc"
    ;

constexpr uint32_t kJsonDocuments = 1000;
constexpr uint64_t kJsonRounds = 40;
constexpr uint64_t kDictSteps = 500'000;
constexpr uint32_t kDictKeys = 50'000;
constexpr uint32_t kThreads =
    4;  // that make chunks, and as many that take them
constexpr uint64_t kChunksPerThread = 8000;

// The interpreter itself: what PATH has first may be a script that looks for
// one, as pyenv's is, and takes longer than some of the work here.
std::string FindPython(const char* workload) {
  static constexpr char kUsual[] = "/usr/bin/python3";
  if (access(kUsual, X_OK) == 0) return kUsual;
  const std::string path = NeedProgram(workload, "python3");
  std::string itself;
  RunCommand({.program = path,
              .arguments = {"-c", "import sys; print(sys.executable)"},
              .preload = Preload::kNothing,
              .failure = kCannotRun},
             &itself);
  return itself.substr(0, itself.find('\n'));
}

void RunScript(Run& run, const char* workload, const char* script,
               const std::vector<uint64_t>& numbers,
               const std::string& expected) {
  const Folder folder;
  Command command = {.program = FindPython(workload),
                     // Without what the user or the system has added.
                     .arguments = {"-B", "-s", "-S", "script.py"},
                     .variables = {"PYTHONMALLOC=malloc", "PYTHONHASHSEED=0"}};
  for (const uint64_t number : numbers) {
    command.arguments.push_back(std::to_string(number));
  }
  WriteFile("script.py", script);
  std::string result;
  run.FinishWith(RunCommand(command, &result));
  ExpectResult(command.program, result, expected + "\n");
}

// What a thread of the script has in the end that takes chunks of the lengths
// that `draw` draws.
uint64_t TakenBytes(Draw draw, uint64_t chunks) {
  uint64_t total = 0;
  std::deque<uint64_t> kept;
  for (uint64_t i = 0; i < chunks; ++i) {
    const uint64_t length = draw.Below(16'000);
    total += length;
    kept.push_back(length);
    if (kept.size() == 100) {
      for (const uint64_t one : kept) total += one;
      kept.erase(kept.begin(), kept.begin() + 50);
    }
  }
  return total + kept.size();
}

}  // namespace

void PythonJson(Run& run) {
  const uint64_t rounds = run.Scaled(kJsonRounds);
  Draw draw(run.seed());
  const uint64_t state = draw.state();
  uint64_t total = 0;
  for (uint32_t i = 0; i < kJsonDocuments; ++i) {
    const uint64_t amount = draw.Below(1000);
    const uint64_t items = draw.Below(20);
    total += amount + items + draw.Below(200);
  }
  run.Count(rounds * kJsonDocuments);
  RunScript(run, "python-json", kJsonScript, {state, kJsonDocuments, rounds},
            std::to_string(total * rounds));
}

void PythonDict(Run& run) {
  const uint64_t steps = run.Scaled(kDictSteps);
  Draw draw(run.seed());
  const uint64_t state = draw.state();
  static constexpr uint64_t kNone = UINT64_MAX;
  std::vector<uint64_t> step_of(kDictKeys, kNone);
  for (uint64_t step = 0; step < steps; ++step) {
    uint64_t& entry = step_of[draw.Below(kDictKeys)];
    entry = entry == kNone ? step : kNone;
  }
  uint64_t entries = 0;
  uint64_t total = 0;
  for (const uint64_t step : step_of) {
    if (step != kNone) total += step * ++entries;
  }
  run.Count(steps);
  RunScript(run, "python-dict", kDictScript, {state, steps, kDictKeys},
            std::to_string(entries) + " " + std::to_string(total) + " " +
                std::to_string(steps));
}

void PythonThreads(Run& run) {
  const uint64_t chunks = run.Scaled(kChunksPerThread);
  const uint64_t state = Draw(run.seed()).state();
  std::string expected;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    // The thread before this one made them.
    const Draw draw(state + (thread + kThreads - 1) % kThreads);
    if (thread != 0) expected += ' ';
    expected += std::to_string(TakenBytes(draw, chunks));
  }
  run.Count(chunks * kThreads);
  RunScript(run, "python-threads", kThreadsScript, {state, kThreads, chunks},
            expected);
}

}  // namespace hakmem::bench
