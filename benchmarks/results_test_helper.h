// Made-up measurements for tests of what reads measurements.
#ifndef HAKMEM_BENCHMARKS_RESULTS_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_RESULTS_TEST_HELPER_H_

#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// Contenders of MakeResults(), by index.
enum : size_t { kFloor, kSegment, kSuperslab, kGlibc, kMimalloc };

// 256 and 8192 slots (cases 0 and 1) on one thread; no samples yet. The peer's
// version is full of characters that reports must escape.
Results MakeResults();

// A run that took `ns` per operation.
Sample MakeSample(double ns);

// The same with HAKMEM's books: within every limit that is asked.
Sample MakeVariantSample(double ns);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_RESULTS_TEST_HELPER_H_
