// A program that runs a suite of named workloads: its list of them, who takes
// part, and what is asked. All the rest (flags, running, reports) is the same
// for all such programs.
#ifndef HAKMEM_BENCHMARKS_WORKLOAD_SUITE_H_
#define HAKMEM_BENCHMARKS_WORKLOAD_SUITE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"
#include "benchmarks/harness/run_options.h"
#include "benchmarks/suite_html.h"

namespace hakmem::bench {

struct WorkloadSuite {
  std::string name;     // of the suite
  std::string summary;  // what --help begins with, in lines
  std::string worker;   // the program that has the workloads (workload.h)
  std::vector<std::string> variants;  // of HAKMEM, as in Field
  std::vector<Case> workloads;        // all it has, in the report's order
  RunDefaults defaults;
  uint64_t quick_effort;  // percent, with --quick
  Judgement (*judge)(const Results& results);
  SuitePage page;
};

struct WorkloadOptions : RunOptions {
  std::vector<std::string> workloads;  // names; never empty
  uint64_t effort = kNotGiven;         // percent of the usual work
};

// The error is one line without the program's name.
absl::StatusOr<WorkloadOptions> ParseWorkloadOptions(
    const WorkloadSuite& suite, const std::vector<std::string_view>& arguments);

// The whole program; returns its exit status (driver.h).
int RunWorkloadSuite(const WorkloadSuite& suite, int argc, char** argv);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOAD_SUITE_H_
