// Made-up measurements of the suite full, for tests of what reads them.
#ifndef HAKMEM_BENCHMARKS_BENCH_RESULTS_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_BENCH_RESULTS_TEST_HELPER_H_

#include <string>

#include "benchmarks/harness/results.h"
#include "benchmarks/results_test_helper.h"

namespace hakmem::bench {

// One more contender of MakeBenchResults than MakeResults() has.
inline constexpr size_t kJemalloc = kMimalloc + 1;

// All cases of the suite full on two cores; no samples yet.
Results MakeBenchResults();

// Six runs, a thousandth apart, whose medians are about `ns` and `peak_mib`;
// `sample` says what they have beyond that.
void AddRuns(Results& results, const std::string& workload, size_t who,
             double ns, double peak_mib, Sample sample = MakeSample(1));

// All of it: the floor, the others, segment within all that is asked and
// superslab within nothing of it.
Results MakeGoodAndBad();

// Of tests with one workload in mind.
size_t CaseOf(const Results& results, const std::string& workload);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_RESULTS_TEST_HELPER_H_
