// The parts that the reports of the suites quick and full are made of.
#ifndef HAKMEM_BENCHMARKS_BENCH_SECTIONS_H_
#define HAKMEM_BENCHMARKS_BENCH_SECTIONS_H_

#include <vector>

#include "benchmarks/analysis/standings.h"
#include "benchmarks/criteria.h"
#include "benchmarks/document.h"

namespace hakmem::bench {

// One per workload, its contenders the fastest first.
std::vector<Section> WorkloadSections(const Standings& standings);

// What all of them amount to: geometric means, where each back-end is behind in
// time and in memory, what was asked and reached, what failed and what is
// absent.
std::vector<Section> SummarySections(const Standings& standings,
                                     const Judgement& judgement);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_SECTIONS_H_
