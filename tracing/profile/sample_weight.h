// What a sampled block stands for. A block of b bytes is sampled with
// probability 1 - exp(-b / rate), so it stands for the inverse of that many
// blocks of its size (as in tcmalloc's and jemalloc's profiles, which leave the
// division to the reader).
#ifndef HAKMEM_TRACING_PROFILE_SAMPLE_WEIGHT_H_
#define HAKMEM_TRACING_PROFILE_SAMPLE_WEIGHT_H_

#include <cstddef>
#include <cstdint>

#include "base/exponential.h"

namespace hakmem {

// Whole numbers, so that what was added can be subtracted without a rest.
struct SampleWeight {
  static constexpr uint64_t kUnitsPerBlock = 256;

  uint64_t count_units = 0;  // blocks, in units
  uint64_t bytes = 0;

  // `bytes` and `rate` from 1 on.
  static constexpr SampleWeight Of(size_t bytes, uint64_t rate) {
    const auto size = static_cast<double>(bytes);
    const double blocks = 1 / OneMinusExp(size / static_cast<double>(rate));
    return {static_cast<uint64_t>(blocks * static_cast<double>(kUnitsPerBlock) +
                                  0.5),
            static_cast<uint64_t>(blocks * size + 0.5)};
  }

  // Blocks, rounded.
  uint64_t count() const {
    return (count_units + kUnitsPerBlock / 2) / kUnitsPerBlock;
  }
  void Add(const SampleWeight& other) {
    count_units += other.count_units;
    bytes += other.bytes;
  }
  void Subtract(const SampleWeight& other) {
    count_units -= other.count_units;
    bytes -= other.bytes;
  }
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_PROFILE_SAMPLE_WEIGHT_H_
