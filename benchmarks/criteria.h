// What the project asked of its allocator in this workload, and what was
// reached: each criterion for each of HAKMEM's variants, judged on what was
// measured in this run and on nothing else.
#ifndef HAKMEM_BENCHMARKS_CRITERIA_H_
#define HAKMEM_BENCHMARKS_CRITERIA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/results.h"

namespace hakmem::bench {

struct Verdict {
  std::optional<double> measured;  // nothing: not measured in this run
  std::optional<double> limit;     // nothing: what it hangs on is missing
  bool reached = false;            // false unless both are there
};

struct Criterion {
  std::string asked;  // "at least 1.2 x glibc's throughput, 256 slots"
  uint64_t threads;   // of the case it was judged in
  int digits;         // after the point, when shown
  std::vector<Verdict> verdicts;  // one per variant, as Variants() has them
};

// Indexes of HAKMEM's variants among the contenders.
std::vector<size_t> Variants(const Results& results);

// All criteria, for every number of threads that was run.
std::vector<Criterion> Judge(const Results& results);

// "1.92 yes", "3.10 no", or "-" when not measured.
std::string VerdictText(const Verdict& verdict, int digits);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_CRITERIA_H_
