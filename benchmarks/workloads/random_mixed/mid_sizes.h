// The sizes of the mid mix: 16 to 32,000 bytes, log-uniform, for which most
// allocators change from one way of serving to another somewhere in between.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MID_SIZES_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MID_SIZES_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/log_uniform.h"

namespace hakmem::bench {

// The Sizes (random_mixed.h).
struct MidSizes {
  static constexpr LogUniform kSizes{16, 32'001};
  // `bits`: 32 random ones.
  size_t operator()(uint64_t bits) const { return kSizes.At(bits << 32); }
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MID_SIZES_H_
