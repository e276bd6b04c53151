#include "base/os/clock.h"

#include <atomic>
#include <ctime>

#include "base/os/read_clock.h"

namespace hakmem {
namespace {

// relaxed, all of them: the numbers order nothing.

// The largest value that CoarseMilliseconds has returned.
constinit std::atomic<uint64_t> recent{0};

// Total of the backward steps of the system's clock since the process began.
constinit std::atomic<uint64_t> set_back{0};

// A thread that read the clock and was then delayed also sees less than
// `recent`: only a difference of at least this much is a backward step.
constexpr uint64_t kStep = 1000;

uint64_t SystemMilliseconds() {
  const timespec t = ReadClock(CLOCK_MONOTONIC_COARSE);
  return static_cast<uint64_t>(t.tv_sec) * 1000 +
         static_cast<uint64_t>(t.tv_nsec) / 1'000'000 +
         set_back.load(std::memory_order_relaxed);
}

// Handles `recent` far ahead of the system's clock: if it still is, continues
// from `recent`.
[[gnu::cold]] uint64_t GoOnAfter(uint64_t last) {
  uint64_t before = set_back.load(std::memory_order_relaxed);
  const uint64_t now = SystemMilliseconds();
  if (now + kStep >= last) return now;
  // If several threads find it at once, one corrects it.
  (void)set_back.compare_exchange_strong(before, before + (last - now),
                                         std::memory_order_relaxed);
  return last;
}

}  // namespace

uint64_t CoarseMilliseconds() {
  uint64_t now = SystemMilliseconds();
  const uint64_t last = recent.load(std::memory_order_relaxed);
  if (now + kStep < last) [[unlikely]] {
    now = GoOnAfter(last);
  }
  // Threads share the cache line: written only when the tick is new.
  if (last < now) recent.store(now, std::memory_order_relaxed);
  return now;
}

uint64_t Nanoseconds() {
  const timespec t = ReadClock(CLOCK_MONOTONIC);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

uint64_t RecentMilliseconds() {
  const uint64_t last = recent.load(std::memory_order_relaxed);
  return last != 0 ? last : CoarseMilliseconds();
}

}  // namespace hakmem
