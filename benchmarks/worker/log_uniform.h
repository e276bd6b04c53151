// Block sizes whose logarithm is uniform: as many from 1 to 2 KiB as from 128
// to 256 KiB, the plainest model of a program that uses all of a range. Needs
// no libm, so that a worker can stay without it.
#ifndef HAKMEM_BENCHMARKS_WORKER_LOG_UNIFORM_H_
#define HAKMEM_BENCHMARKS_WORKER_LOG_UNIFORM_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/random.h"

namespace hakmem::bench {

// Made at compile time, mostly: the table takes some 10,000 steps.
class LogUniform {
 public:
  // Sizes from `low` on, which is above 0, and below `high`.
  constexpr LogUniform(size_t low, size_t high) {
    // The step that, taken kSteps times, leads from low to high.
    double step = static_cast<double>(high) / static_cast<double>(low);
    for (uint64_t steps = kSteps; steps != 1; steps /= 2) step = Root(step);
    double value = static_cast<double>(low);
    for (double& edge : edges_) {
      edge = value;
      value *= step;
    }
    edges_[kSteps] = static_cast<double>(high);
  }

  constexpr size_t Draw(Random& random) const { return At(random.Next()); }

  // The size that 64 random bits stand for, of which the upper ones matter
  // most. Between two edges of the table the sizes lie on a line, close enough
  // to the curve: neighbours differ by less than a percent.
  constexpr size_t At(uint64_t random_bits) const {
    const uint64_t bits = random_bits >> 11;  // all that a double holds
    const uint64_t step = bits >> (53 - kStepBits);
    const uint64_t within = bits & ((uint64_t{1} << (53 - kStepBits)) - 1);
    const double fraction =
        static_cast<double>(within) /
        static_cast<double>(uint64_t{1} << (53 - kStepBits));
    return static_cast<size_t>(edges_[step] +
                               fraction * (edges_[step + 1] - edges_[step]));
  }

 private:
  static constexpr unsigned kStepBits = 10;
  static constexpr uint64_t kSteps = uint64_t{1} << kStepBits;

  // The square root by Newton's method, which doubles the right digits in each
  // round once it is close.
  static constexpr double Root(double square) {
    double root = (1 + square) / 2;
    for (int i = 0; i < 64; ++i) root = (root + square / root) / 2;
    return root;
  }

  double edges_[kSteps + 1] = {};
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_LOG_UNIFORM_H_
