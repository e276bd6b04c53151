#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/worker/process_meter.h"
#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"
#include "benchmarks/workloads/programs/resident.h"
#include "benchmarks/workloads/programs/usage.h"

namespace hakmem::bench {
namespace {

// As many at a time; how much is resident depends a little on where the kernel
// happens to put things.
constexpr uint64_t kStarts = 10;

// A process is at rest when it sleeps and its memory has not changed for so
// long.
constexpr useconds_t kQuietMicroseconds = 50'000;
constexpr uint64_t kPatienceNanoseconds = 20'000'000'000;

std::string ProgramOf(const std::string& process) {
  char path[4096];
  const std::string link = "/proc/" + process + "/exe";
  const ssize_t length = readlink(link.c_str(), path, sizeof(path));
  return {path, length < 0 ? 0 : static_cast<size_t>(length)};
}

// True when it is no longer this program and waits for something.
bool Sleeps(pid_t process) {
  return ProgramOf(std::to_string(process)) != ProgramOf("self") &&
         ReadFile("/proc/" + std::to_string(process) + "/status")
                 .find("\nState:\tS") != std::string::npos;
}

// What is resident once the process is at rest.
uint64_t SettledKib(Child& child) {
  const uint64_t start = ClockNanoseconds(CLOCK_MONOTONIC);
  uint64_t last = 0;
  while (ClockNanoseconds(CLOCK_MONOTONIC) - start < kPatienceNanoseconds) {
    usleep(kQuietMicroseconds);
    if (child.HasEnded()) Die(kAllocatorFailed, "sleep: ended at once");
    if (!Sleeps(child.pid())) continue;
    const uint64_t kib = ResidentKibOf(child.pid());
    if (kib != 0 && kib == last) return kib;
    last = kib;
  }
  Die(kCannotRun, "idle: no process that sleeps can be seen in /proc");
}

}  // namespace

void Idle(Run& run) {
  const Command command = {.program = NeedProgram("idle", "sleep"),
                           .arguments = {"600"},
                           .preload = Preload::kInherited};
  const Folder folder;
  const uint64_t starts = std::max<uint64_t>(run.Scaled(kStarts), 1);
  const uint64_t start = ClockNanoseconds(CLOCK_MONOTONIC);
  uint64_t kib = 0;
  Used used;
  for (uint64_t done = 0; done < starts;) {
    std::vector<std::unique_ptr<Child>> children;
    for (; children.size() < kStarts && done < starts; ++done) {
      children.push_back(std::make_unique<Child>(command));
    }
    for (const auto& child : children) kib += SettledKib(*child);
    for (const auto& child : children) Add(child->Kill(), used);
  }
  used.wall_ns = ClockNanoseconds(CLOCK_MONOTONIC) - start;
  used.peak_rss_kib = kib / starts;
  run.Count(starts);
  run.FinishWith(used);
  run.Report("resident_after_kib", static_cast<double>(used.peak_rss_kib));
}

}  // namespace hakmem::bench
