// Works of the process as a whole: it forks, rests, and asks its allocator for
// housekeeping and figures.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "tools/soak/library.h"
#include "tools/soak/refusals.h"
#include "tools/soak/tally.h"
#include "tools/soak/works.h"

namespace hakmem::soak {
namespace {

// A child that stands still is ended after this.
constexpr unsigned kChildSeconds = 120;

// What the child has of its parent it checks and frees, and works on its own.
[[noreturn]] void BeAChild(Hand& hand) {
  alarm(kChildSeconds);
  RestoreLimits();
  hand.in_child = true;
  counts = {};
  const uint64_t errors = TheTally().errors;
  Random& random = hand.random;
  hand.kept.CheckAll();
  hand.kept.Shuffle(random);
  hand.kept.Shrink(random, hand.kept.size() / 2);
  for (size_t works = random.Between(1, 12); works > 0; --works) DoAWork(hand);
  hand.kept.Shrink(random, 0);
  if (random.OneIn(4) && library.collect != nullptr) library.collect();
  if (library.check_heap != nullptr && library.check_heap() != 0) {
    Fault("hakmem_check_heap finds faults in a forked child");
  }
  FlushCounts();
  // Errors of other threads, meanwhile, make no difference to the outcome.
  _exit(TheTally().errors == errors ? 0 : 1);
}

}  // namespace

void Fork(Hand& hand) {
  // One child at a time: each may hold as much as all threads do.
  static std::atomic<bool> busy;
  if (busy.exchange(true)) return;
  const uint64_t moment = RequestMoment();
  const pid_t child = fork();
  if (child == 0) BeAChild(hand);
  if (child > 0) {
    ++TheTally().forks;
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
      Fault("a forked child ended by %s %d",
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
  } else {
    ++counts.refused;
    if (!MayBeRefused(moment)) Fault("fork failed, errno %d", errno);
  }
  busy = false;
}

void Idle(Hand& hand) {
  usleep(static_cast<useconds_t>(hand.random.LogUniform(1000, 500'000)));
}

void Housekeeping(Hand& hand) {
  char text[256];
  hakmem_stats_t stats;
  switch (hand.random.Below(5)) {
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
