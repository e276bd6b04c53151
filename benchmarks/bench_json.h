// The results of the suites quick and full as a JSON document: every sample,
// and nothing that can be made of them but the medians, so that it is small
// enough to be kept; and how it is read again.
#ifndef HAKMEM_BENCHMARKS_BENCH_JSON_H_
#define HAKMEM_BENCHMARKS_BENCH_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// The text of the file: a line for each contender in each workload.
std::string BenchJson(const Results& results, const Judgement& judgement,
                      const RunInfo& info);

// What was read: samples by case and contender, who failed where, the suite,
// the machine and the effort.
struct FormerRun {
  Results results;
  RunInfo info;
};

// The error says what is wrong with the text, without a name in front.
absl::StatusOr<FormerRun> ReadBenchJson(std::string_view text);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_JSON_H_
