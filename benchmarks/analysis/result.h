// result.json: all that was measured and what it amounts to, computed once.
// Every report is a view of it. The format is described in
// benchmarks/results/README.md.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_RESULT_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_RESULT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/analysis/against.h"
#include "benchmarks/harness/allocators.h"
#include "benchmarks/harness/machine.h"
#include "benchmarks/harness/sample.h"
#include "benchmarks/harness/suites.h"
#include "nlohmann/json_fwd.hpp"

namespace hakmem::bench {

// Of this tool, and of HAKMEM.
inline constexpr char kToolVersion[] = "0.2.0";

// Where the figures come from.
struct RunInfo {
  const Suite* suite = nullptr;
  std::string command;  // may be published: paths are shortened
  std::string started;  // UTC, ISO 8601
  double seconds = 0;
  bool interrupted = false;
  uint64_t repeats = 0;   // begun
  uint64_t effort = 100;  // percent of the usual work
  Machine machine;
  std::vector<Absent> absent;
};

// `against` may be null.
nlohmann::ordered_json MakeResult(const RunInfo& info, const Cells& cells,
                                  const Against* against);

// As a file: a line for each sample, cell and row, so that it is small and a
// diff of two can be read.
std::string ResultText(const nlohmann::ordered_json& result);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_RESULT_H_
