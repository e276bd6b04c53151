// Sets a run beside a former one of the same suite: what HAKMEM became worse
// and better in.
#ifndef HAKMEM_BENCHMARKS_AGAINST_H_
#define HAKMEM_BENCHMARKS_AGAINST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "benchmarks/bench_json.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

struct Change {
  std::string workload;
  std::string allocator;
  std::string what;  // "time", "peak RSS" or "fails"
  double ratio;      // now over then; 0 when it fails
};

struct Changes {
  std::vector<Change> worse;   // the worst first; failures before all
  std::vector<Change> better;  // the best first
  size_t compared = 0;         // medians that both runs have
};

// Of HAKMEM's variants that both runs have, in the workloads that both have. A
// change is beyond the noise when the intervals lie apart (IsAbove in
// statistics.h) and the medians differ by more than 3 %.
Changes ChangesSince(const Results& former, const Results& now);

// Whether a run of that suite and effort can be set beside the former one; the
// error (one line) says why not.
absl::Status CheckComparable(const RunInfo& former, const std::string& suite,
                             uint64_t effort);

// `changes` for a terminal, and whether the machine is another one.
std::string ChangesText(const Changes& changes, const RunInfo& former,
                        const RunInfo& now);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_AGAINST_H_
