// The sizes of a heap that grows: one block in twenty is mid-sized, and these
// hold three quarters of the bytes, enough of both kinds that each shows. 1 KiB
// on average.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_HEAP_SIZES_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_HEAP_SIZES_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"

namespace hakmem::bench {

inline constexpr LogUniform kSmallSizes(16, size_t{1} << 10);
inline constexpr LogUniform kMidSizes(size_t{1} << 10, size_t{64} << 10);
inline constexpr uint64_t kMidEvery = 20;

inline size_t DrawHeapSize(Random& random) {
  return random.Below(kMidEvery) == 0 ? kMidSizes.Draw(random)
                                      : kSmallSizes.Draw(random);
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_HEAP_SIZES_H_
