// Light activity: how a program goes on after it did its work, a block now and
// then. An allocator that gives freed pages back some time after gets its
// chance to.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LIGHT_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LIGHT_H_

#include <stdint.h>

namespace hakmem::bench {

inline constexpr uint64_t kLightNanoseconds = 2'000'000'000;

// For so long, a block of 16 bytes to 64 KiB, log-uniform, about every
// millisecond, each freed before the next. For any number of threads at once.
void LightActivity(uint64_t seed, uint64_t nanoseconds = kLightNanoseconds);

// As many such blocks without a pause: a warm-up.
void LightBlocks(uint64_t seed, uint64_t count);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LIGHT_H_
