// Lets a few events per second pass and counts the others. Lock-free;
// async-signal-safe.
#ifndef HAKMEM_TRACING_FAILURES_RATE_LIMIT_H_
#define HAKMEM_TRACING_FAILURES_RATE_LIMIT_H_

#include <atomic>
#include <cstdint>

namespace hakmem {

class RateLimit {
 public:
  // `per_second`, at least 1, in each second that begins with an event.
  explicit constexpr RateLimit(uint32_t per_second) : most_(per_second) {}

  // Whether an event at `now` (milliseconds, not 0) may pass.
  bool Pass(uint64_t now) {
    uint64_t before = second_.load(std::memory_order_relaxed);
    uint64_t after;
    do {
      const bool is_new = before == 0 || now >= Start(before) + 1000;
      const uint64_t passed = is_new ? 0 : before & kCountMask;
      if (passed >= most_) {
        left_out_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
      after = (is_new ? now << kCountBits : before & ~kCountMask) + passed + 1;
      // relaxed: only the count itself matters.
    } while (!second_.compare_exchange_weak(before, after,
                                            std::memory_order_relaxed));
    return true;
  }

  // How many did not pass since the last call.
  uint64_t TakeLeftOut() {
    return left_out_.exchange(0, std::memory_order_relaxed);
  }

 private:
  static constexpr int kCountBits = 16;
  static constexpr uint64_t kCountMask = (1 << kCountBits) - 1;
  static uint64_t Start(uint64_t second) { return second >> kCountBits; }

  const uint32_t most_;
  // When the second began, and how many events passed in it.
  std::atomic<uint64_t> second_{0};
  std::atomic<uint64_t> left_out_{0};
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_RATE_LIMIT_H_
