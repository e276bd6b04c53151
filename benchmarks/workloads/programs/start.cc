#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "benchmarks/process_meter.h"
#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/programs.h"
#include "benchmarks/workloads/programs/usage.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kTimed = 1000;
constexpr uint64_t kWeighed = 50;

void CheckStatus(int status) {
  if (WIFSIGNALED(status)) {
    Die(kAllocatorFailed, "true: killed by signal %d (%s)", WTERMSIG(status),
        strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    Die(kAllocatorFailed, "true: exit status %d", WEXITSTATUS(status));
  }
}

// Starts the program without a copy of this process, so that nothing but the
// program itself takes time.
Used StartAndWait(const char* path, char* const* arguments) {
  const uint64_t started = ClockNanoseconds(CLOCK_MONOTONIC);
  pid_t child;
  const int error =
      posix_spawn(&child, path, nullptr, nullptr, arguments, environ);
  if (error != 0) Die(kCannotRun, "cannot start true: %s", strerror(error));
  int status;
  const Used used = WaitFor(child, started, &status);
  CheckStatus(status);
  return used;
}

// The peak memory of one run. From a fork: what is spawned counts the memory of
// this process as its own (see Child).
uint64_t Weigh(const char* path, char* const* arguments) {
  const uint64_t started = ClockNanoseconds(CLOCK_MONOTONIC);
  const pid_t child = fork();
  if (child == 0) {
    execve(path, arguments, environ);
    _exit(127);
  }
  if (child < 0) Die(kCannotRun, "cannot fork: %s", strerror(errno));
  int status;
  const Used used = WaitFor(child, started, &status);
  CheckStatus(status);
  return used.peak_rss_kib;
}

}  // namespace

void StartTrue(Run& run) {
  const std::string path = NeedProgram("start-true", "true");
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  Used used;
  const uint64_t timed = run.Scaled(kTimed);
  for (uint64_t i = 0; i < timed; ++i) {
    Add(StartAndWait(path.c_str(), arguments), used);
  }
  const uint64_t weighed = run.Scaled(kWeighed);
  uint64_t kib = 0;
  for (uint64_t i = 0; i < weighed; ++i) kib += Weigh(path.c_str(), arguments);
  used.peak_rss_kib = kib / weighed;
  run.Count(timed);
  run.FinishWith(used);
}

}  // namespace hakmem::bench
