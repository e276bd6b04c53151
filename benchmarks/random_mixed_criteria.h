// What the project asked of its allocator in the random-mixed workload.
#ifndef HAKMEM_BENCHMARKS_RANDOM_MIXED_CRITERIA_H_
#define HAKMEM_BENCHMARKS_RANDOM_MIXED_CRITERIA_H_

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// All criteria, for every number of threads that was run, on all of HAKMEM's
// variants.
Judgement JudgeRandomMixed(const Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_RANDOM_MIXED_CRITERIA_H_
