// Workloads of the process as a whole: it forks, sleeps, and asks its allocator
// to give memory back and for statistics.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "tools/soak/counters.h"
#include "tools/soak/library.h"
#include "tools/soak/refusals.h"
#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

// A child that hangs is ended after this.
constexpr unsigned kChildSeconds = 120;

// The child checks and frees the blocks that it has from its parent, and runs
// workloads of its own.
[[noreturn]] void RunChild(ThreadState& state) {
  alarm(kChildSeconds);
  RestoreLimits();
  state.in_child = true;
  counters = {};
  const uint64_t errors = Shared().errors;
  Random& random = state.random;
  state.kept.CheckAll();
  state.kept.Shuffle(random);
  state.kept.Shrink(random, state.kept.size() / 2);
  for (size_t n = random.Between(1, 12); n > 0; --n) RunOneWorkload(state);
  state.kept.Shrink(random, 0);
  if (random.OneIn(4) && library.collect != nullptr) library.collect();
  if (library.check_heap != nullptr && library.check_heap() != 0) {
    ReportError("hakmem_check_heap finds faults in a forked child");
  }
  FlushCounters();
  // Errors of other threads, meanwhile, make no difference to the outcome.
  _exit(Shared().errors == errors ? 0 : 1);
}

}  // namespace

void Fork(ThreadState& state) {
  // One child at a time: each may hold as much as all threads do.
  static std::atomic<bool> busy;
  if (busy.exchange(true)) return;
  const uint64_t epoch = LimitEpoch();
  const pid_t child = fork();
  if (child == 0) RunChild(state);
  if (child > 0) {
    ++Shared().forks;
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
      ReportError("a forked child ended by %s %d",
                  WIFSIGNALED(status) ? "signal" : "status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
  } else {
    ++counters.refused;
    if (!MayBeRefused(epoch)) ReportError("fork failed, errno %d", errno);
  }
  busy = false;
}

void Idle(ThreadState& state) {
  usleep(static_cast<useconds_t>(state.random.LogUniform(1000, 500'000)));
}

void Maintain(ThreadState& state) {
  char text[256];
  hakmem_stats_t stats;
  switch (state.random.Below(5)) {
    case 0:
      if (library.collect != nullptr) library.collect();
      return;
    case 1:
      if (library.stats != nullptr) library.stats(&stats, sizeof(stats));
      return;
    case 2:
      // Cut off: the whole text is longer.
      if (library.stats_json != nullptr) library.stats_json(text, sizeof(text));
      return;
    case 3:
      (void)mallinfo2();
      return;
    default:
      malloc_trim(0);
  }
}

}  // namespace hakmem::soak
