// The project's goals: one table. Each row is judged only by what this run
// measured.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_CRITERIA_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_CRITERIA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/ranking.h"

namespace hakmem::bench {

enum class Bound {
  kAtMost,
  kAtLeast,
  kBelow,
};

// What is made of the metric in the cases of the scope.
enum class Measure {
  kValue,       // itself; of several cases the highest
  kRatio,       // over the reference's: geometric mean over the cases, and of
                // several metrics the lowest
  kDifference,  // less the reference's
  kAboveFloor,  // what lies above the floor, over what does of the reference
  kGrowth,      // in the second case over the first
  kCount,       // of metrics and cases with a ratio above `factor`; a failure
                // counts
  kCountClear,  // the same, and the intervals apart
};

// Whom an allocator is held against.
enum class Reference {
  kNobody,
  kGlibc,
  kMimalloc,
  kFastestPeer,       // of the case; of several cases the best single peer
  kLeanestPeer,       // of the case, without glibc
  kEachPeer,          // without glibc: the highest of the ratios
  kLeanestOfFastest,  // of the case (Ranking)
  kFixedPool,         // the same back-end with its pool fixed
};

struct Criterion {
  std::string title;  // "time over glibc's"
  std::vector<std::string> metrics;
  std::vector<std::string> workloads;  // the scope: keys of cases
  std::string scope;                   // in one word or two
  Measure measure = Measure::kValue;
  Reference reference = Reference::kNobody;
  Bound bound = Bound::kAtMost;
  double limit = 0;
  double factor = 1;  // of kCount and kCountClear
};

struct Verdict {
  std::optional<double> value;  // nothing: not measured in this run
  bool met = false;
};

struct Judged {
  Criterion criterion;
  std::vector<Verdict> verdicts;  // one for each of Ranking::judged()
};

// The rows that are about anything in `cases` of the suite.
std::vector<Criterion> CriteriaOf(const std::string& suite,
                                  const std::vector<Case>& cases);

// Each row with its verdicts. Rows whose workloads were not to be run, or
// cannot be run here, are left out.
std::vector<Judged> Judge(const std::vector<Criterion>& criteria,
                          const Ranking& ranking);

const char* BoundKey(Bound bound);  // "at_most"

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_CRITERIA_H_
