// Made-up measurements for tests.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_RESULTS_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_RESULTS_TEST_HELPER_H_

#include <map>
#include <string>
#include <vector>

#include "benchmarks/analysis/result.h"

namespace hakmem::bench {

// Allocators, by index.
enum : size_t { kFloor, kSegment, kSuperslab, kGlibc, kMimalloc, kJemalloc };

std::vector<Allocator> MakeAllocators();

// All workloads of the catalogue, and no sample.
Measurements MakeMeasurements();

// Index of the case of that key.
size_t CaseOf(const Measurements& measurements, const std::string& workload);

using Values = std::map<std::string, double>;

// One run with that time per operation and peak memory, and more.
void AddRun(Measurements& measurements, const std::string& workload, size_t who,
            double ns, double peak_mib, const Values& more = {});

// Six runs that differ by half a percent; their medians are 1.0025 times what
// is given.
void AddRuns(Measurements& measurements, const std::string& workload,
             size_t who, double ns, double peak_mib, const Values& more = {});

// Drops the samples.
void Forget(Measurements& measurements, const std::string& workload,
            size_t who);
void AddFailure(Measurements& measurements, const std::string& workload,
                size_t who, const std::string& why);

// Segment meets every goal, superslab none.
Measurements MakeGoodAndBad();

RunInfo MakeInfo(const std::string& suite = "full");

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_RESULTS_TEST_HELPER_H_
