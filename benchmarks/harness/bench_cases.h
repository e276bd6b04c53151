// The workloads of `compare --suite=quick` and `--suite=full`, by kind.
#ifndef HAKMEM_BENCHMARKS_HARNESS_BENCH_CASES_H_
#define HAKMEM_BENCHMARKS_HARNESS_BENCH_CASES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/harness/case.h"

namespace hakmem::bench {

inline constexpr char kSmall[] = "small";
inline constexpr char kThreads[] = "threads";
inline constexpr char kMemory[] = "memory";
inline constexpr char kLarge[] = "large";
inline constexpr char kStart[] = "start";
inline constexpr char kPrograms[] = "programs";

// In the order of the reports.
const std::vector<std::string>& KindNames();

// HAKMEM's variants with another adaptive pool, which take part in the kind
// large alone.
const std::vector<std::string>& PoolVariants();

// Of random-mixed, for its two scaling curves: by working set on one thread,
// and by threads. Names of cases.
std::string RandomMixedName(uint64_t slots);
std::string RandomMixedThreadsName(uint64_t threads);

// All of the suite, `effort` in percent of the usual work.
std::vector<Case> BenchCases(bool quick, uint64_t effort);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_BENCH_CASES_H_
