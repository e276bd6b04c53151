// `compare --suite=quick` and `--suite=full`: every kind of workload, beside
// every peer (bench_cases.h lists them, bench_criteria.h says what is asked).
#ifndef HAKMEM_BENCHMARKS_BENCH_SUITE_H_
#define HAKMEM_BENCHMARKS_BENCH_SUITE_H_

#include "absl/status/statusor.h"
#include "benchmarks/driver.h"
#include "benchmarks/harness/options.h"

namespace hakmem::bench {

// Without its program's name. The error (one line) says what is wrong with
// the former result in --against.
absl::StatusOr<Suite> BenchSuite(const Options& options);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_SUITE_H_
