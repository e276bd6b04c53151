// The random numbers of the workloads: xorshift, which takes a nanosecond and
// is the same everywhere, so that all allocators meet the same requests.
#ifndef HAKMEM_BENCHMARKS_WORKER_RANDOM_H_
#define HAKMEM_BENCHMARKS_WORKER_RANDOM_H_

#include <stdint.h>

namespace hakmem::bench {

class Random {
 public:
  // Xorshift stands still at 0, and small seeds start out alike: spread them
  // (the constant is 2^64 divided by the golden ratio, odd).
  explicit constexpr Random(uint64_t seed)
      : state_((seed + 1) * 0x9e3779b97f4a7c15 | 1) {}

  // 64 random bits, never all 0.
  constexpr uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

  // A number below `bound`, which is below 2^32: scales the upper 32 bits to
  // the range without a division.
  constexpr uint64_t Below(uint64_t bound) {
    return (Next() >> 32) * bound >> 32;
  }

 private:
  uint64_t state_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_RANDOM_H_
