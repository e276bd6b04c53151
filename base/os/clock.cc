#include "base/os/clock.h"

#include <atomic>
#include <ctime>

#include "base/os/read_clock.h"

namespace hakmem {
namespace {

// relaxed, all of them: numbers that order nothing.

// The latest that CoarseMilliseconds returned.
constinit std::atomic<uint64_t> recent{0};

// What the system's clock has been set back by since the process began.
constinit std::atomic<uint64_t> set_back{0};

// A thread that read the clock before others did, and then had to wait, sees
// less than `recent` as well: by so much at least the clock must be behind.
constexpr uint64_t kStep = 1000;

uint64_t SystemMilliseconds() {
  const timespec t = ReadClock(CLOCK_MONOTONIC_COARSE);
  return static_cast<uint64_t>(t.tv_sec) * 1000 +
         static_cast<uint64_t>(t.tv_nsec) / 1'000'000 +
         set_back.load(std::memory_order_relaxed);
}

// The time when `recent` is far ahead of the system's clock: goes on from there
// if it still is.
[[gnu::cold]] uint64_t GoOnAfter(uint64_t last) {
  uint64_t before = set_back.load(std::memory_order_relaxed);
  const uint64_t now = SystemMilliseconds();
  if (now + kStep >= last) return now;
  // Of threads that find it at once, one sets it right.
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
  // Threads share the line: written to only when the tick is a new one.
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
