#include "benchmarks/workload_suite.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/driver.h"
#include "benchmarks/harness/flags.h"
#include "benchmarks/harness/worker_case.h"
#include "benchmarks/report_json.h"
#include "benchmarks/suite_text.h"

namespace hakmem::bench {
namespace {

std::vector<std::string> Names(const WorkloadSuite& suite) {
  std::vector<std::string> names;
  for (const Case& workload : suite.workloads) {
    names.push_back(workload.workload);
  }
  return names;
}

bool IsAmong(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// All flags, storing to `options`.
std::vector<Flag> Flags(const WorkloadSuite& suite, WorkloadOptions& options) {
  const std::string names = absl::StrJoin(Names(suite), ",");
  std::vector<Flag> flags = {
      {"--workloads", "names, of " + names, "only these workloads",
       [&](std::string_view text) {
         const std::vector<std::string> all = Names(suite);
         return ParseNames(text, options.workloads) &&
                std::all_of(options.workloads.begin(), options.workloads.end(),
                            [&](const std::string& name) {
                              return IsAmong(all, name);
                            });
       }},
      {"--effort", "a number of 1 to 10000",
       "work in a run, in percent of the usual (default 100)",
       [&](std::string_view text) {
         return ParseNumber(text, 1, 10'000, options.effort);
       }},
  };
  for (Flag& flag : RunFlags(suite.defaults, options)) {
    flags.push_back(std::move(flag));
  }
  return flags;
}

// What the driver needs to run the workloads that `options` admit.
Suite MakeSuite(const WorkloadSuite& from, const WorkloadOptions& options) {
  Suite suite;
  suite.program = from.defaults.program;
  suite.name = from.name;
  suite.amount =
      absl::StrCat("runs of ", absl::StrJoin(options.workloads, ", "), ", at ",
                   options.effort, " % of the usual work");
  suite.field = {from.worker, {"--probe"}, from.variants, {}, /*floor=*/false};
  suite.effort = options.effort;
  for (const Case& workload : from.workloads) {
    if (!IsAmong(options.workloads, workload.workload)) continue;
    suite.cases.push_back(WorkerCase(from.worker, workload, options.effort));
  }
  suite.judge = from.judge;
  suite.text_report = [](const Results& results, const Judgement& judgement,
                         bool) { return SuiteTextReport(results, judgement); };
  suite.files = {{"json", JsonText},
                 {"html", [page = from.page](const Results& results,
                                             const Judgement& judgement,
                                             const RunInfo& info) {
                    return SuiteHtmlReport(page, results, judgement, info);
                  }}};
  return suite;
}

}  // namespace

absl::StatusOr<WorkloadOptions> ParseWorkloadOptions(
    const WorkloadSuite& suite,
    const std::vector<std::string_view>& arguments) {
  WorkloadOptions options;
  const absl::Status status = ParseFlags(arguments, Flags(suite, options));
  if (!status.ok()) return status;
  if (options.workloads.empty()) options.workloads = Names(suite);
  if (options.effort == kNotGiven) {
    options.effort = options.quick ? suite.quick_effort : 100;
  }
  Settle(suite.defaults, options);
  return options;
}

int RunWorkloadSuite(const WorkloadSuite& suite, int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const absl::StatusOr<WorkloadOptions> options =
      ParseWorkloadOptions(suite, arguments);
  if (!options.ok()) {
    return Complain(suite.defaults.program, kBadInput,
                    options.status().message());
  }
  if (options->help) {
    WorkloadOptions unused;
    std::cout << suite.summary << "\n" << FlagsHelp(Flags(suite, unused));
    return 0;
  }
  return RunSuite(MakeSuite(suite, *options), *options, arguments);
}

}  // namespace hakmem::bench
