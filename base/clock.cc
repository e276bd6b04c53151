#include "base/clock.h"

#include <atomic>
#include <ctime>

namespace hakmem {
namespace {

// relaxed: a number that orders nothing.
constinit std::atomic<uint64_t> recent{0};

}  // namespace

uint64_t CoarseMilliseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  const uint64_t now = static_cast<uint64_t>(t.tv_sec) * 1000 +
                       static_cast<uint64_t>(t.tv_nsec) / 1'000'000;
  // Threads share the line: written to only when the tick is a new one.
  if (recent.load(std::memory_order_relaxed) < now) {
    recent.store(now, std::memory_order_relaxed);
  }
  return now;
}

uint64_t Nanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

uint64_t RecentMilliseconds() {
  const uint64_t last = recent.load(std::memory_order_relaxed);
  return last != 0 ? last : CoarseMilliseconds();
}

}  // namespace hakmem
