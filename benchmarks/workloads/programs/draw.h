// The random numbers of scripts and of what checks them: the "minimal standard"
// generator of Park and Miller, which every language can compute exactly, in
// floating point too.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_DRAW_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_DRAW_H_

#include <stdint.h>

namespace hakmem::bench {

class Draw {
 public:
  explicit constexpr Draw(uint64_t seed) : state_(seed % (kModulus - 1) + 1) {}

  // What a script has to start from to draw the same numbers.
  constexpr uint64_t state() const { return state_; }

  // A number below `bound`, which is small against 2^31.
  constexpr uint32_t Below(uint32_t bound) {
    state_ = state_ * 16'807 % kModulus;
    return static_cast<uint32_t>(state_ % bound);
  }

 private:
  static constexpr uint64_t kModulus = (uint64_t{1} << 31) - 1;
  uint64_t state_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_DRAW_H_
