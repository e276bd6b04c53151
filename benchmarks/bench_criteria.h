// What the project asked of its allocator beside every peer, in the suites
// quick and full.
#ifndef HAKMEM_BENCHMARKS_BENCH_CRITERIA_H_
#define HAKMEM_BENCHMARKS_BENCH_CRITERIA_H_

#include "benchmarks/analysis/standings.h"
#include "benchmarks/criteria.h"

namespace hakmem::bench {

// Of each back-end. Criteria on workloads that were not to be run, or could not
// be, are left out.
Judgement JudgeBench(const Standings& standings);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_CRITERIA_H_
