#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "benchmarks/worker/process_meter.h"
#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/programs.h"
#include "benchmarks/workloads/programs/resident.h"
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

// Lets a process that asked to be traced run to its end; returns what it had
// resident just before, in KiB. For a program as small as this, which gives
// nothing back, that is its peak. Where tracing is not allowed it is the
// kernel's own figure of the peak, which is too late (resident.h) to see an
// allocator's first pages.
uint64_t WatchToItsEnd(pid_t child) {
  uint64_t kib = 0;
  for (int status = 0;;) {
    rusage usage = {};
    if (wait4(child, &status, 0, &usage) < 0) {
      if (errno == EINTR) continue;
      Die(kCannotRun, "cannot wait for true: %s", strerror(errno));
    }
    if (!WIFSTOPPED(status)) {
      CheckStatus(status);
      return kib != 0 ? kib : static_cast<uint64_t>(usage.ru_maxrss);
    }
    int signal = WSTOPSIG(status);
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8))) {
      kib = ResidentKibOf(child);
      signal = 0;
    } else if (signal == SIGTRAP) {  // the program was executed
      ptrace(PTRACE_SETOPTIONS, child, nullptr,
             PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
      signal = 0;
    }
    ptrace(PTRACE_CONT, child, nullptr, signal);
  }
}

uint64_t Weigh(const char* path, char* const* arguments) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execve(path, arguments, environ);
    _exit(127);
  }
  if (child < 0) Die(kCannotRun, "cannot fork: %s", strerror(errno));
  return WatchToItsEnd(child);
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
  const uint64_t weighed = std::max<uint64_t>(run.Scaled(kWeighed), 1);
  uint64_t kib = 0;
  for (uint64_t i = 0; i < weighed; ++i) kib += Weigh(path.c_str(), arguments);
  used.peak_rss_kib = kib / weighed;
  run.Count(timed);
  run.FinishWith(used);
}

}  // namespace hakmem::bench
