#include "benchmarks/bench_suite.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/against.h"
#include "benchmarks/bench_criteria.h"
#include "benchmarks/bench_json.h"
#include "benchmarks/bench_report.h"
#include "benchmarks/harness/bench_cases.h"
#include "benchmarks/random_mixed_suite.h"

namespace hakmem::bench {
namespace {

// The floor and the pool variants take part only where a case has them.
Field FieldOf(const std::vector<Case>& cases) {
  const auto any_admits = [&](const std::string& name) {
    return std::any_of(cases.begin(), cases.end(), [&](const Case& a_case) {
      return !a_case.LeavesOut(name);
    });
  };
  Field field = RandomMixedField();
  field.floor = any_admits("floor");
  for (const std::string& variant : PoolVariants()) {
    if (any_admits(variant)) field.variants.push_back(variant);
  }
  return field;
}

absl::StatusOr<FormerRun> ReadFormer(const Options& options) {
  const std::string name = absl::StrCat("--against=", options.against, ": ");
  std::ifstream file(UserPath(options.against), std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(name + "cannot read it");
  }
  absl::StatusOr<FormerRun> former = ReadBenchJson(text.str());
  absl::Status status = former.status();
  if (status.ok()) {
    status =
        CheckComparable(former->info, SuiteText(options.suite), options.effort);
  }
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, status.message()));
  }
  return former;
}

}  // namespace

absl::StatusOr<Suite> BenchSuite(const Options& options) {
  Suite suite;
  suite.name = SuiteText(options.suite);
  suite.cases = ChosenCases(options);
  suite.amount = absl::StrCat("runs of ", suite.cases.size(), " workloads, at ",
                              options.effort, " % of the usual work");
  suite.effort = options.effort;
  suite.field = FieldOf(suite.cases);
  suite.failure_ends = false;
  suite.judge = [](const Results& results) {
    return JudgeBench(Standings(results));
  };
  suite.text_report = BenchText;
  suite.files = {
      {"json", BenchJson}, {"html", BenchHtml}, {"md", BenchMarkdown}};
  if (options.against.empty()) return suite;
  absl::StatusOr<FormerRun> read = ReadFormer(options);
  if (!read.ok()) return read.status();
  suite.conclude = [former =
                        std::make_shared<const FormerRun>(*std::move(read))](
                       const Results& results, const RunInfo& info) {
    const Changes changes = ChangesSince(former->results, results);
    return Conclusion{ChangesText(changes, former->info, info),
                      !changes.worse.empty()};
  };
  return suite;
}

}  // namespace hakmem::bench
