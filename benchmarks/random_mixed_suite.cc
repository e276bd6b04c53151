#include "benchmarks/random_mixed_suite.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/harness/worker_case.h"
#include "benchmarks/random_mixed_criteria.h"
#include "benchmarks/report_html.h"
#include "benchmarks/report_json.h"
#include "benchmarks/report_text.h"

namespace hakmem::bench {
namespace {

// Working sets in the outer loop: the report begins with the smallest.
std::vector<Case> Cases(const Options& options) {
  std::vector<Case> cases;
  for (const uint64_t slots : options.sets) {
    for (const uint64_t threads : options.threads) {
      cases.push_back(RandomMixedCase(slots, threads, options.operations));
    }
  }
  return cases;
}

}  // namespace

Field RandomMixedField() {
  return {
      kRandomMixedWorker,
      {"--slots=64", "--operations=64"},
      {"segment", "superslab"},
      {"segment-checks", "segment-full", "superslab-checks", "superslab-full"},
      /*floor=*/true};
}

Suite RandomMixedSuite(const Options& options) {
  Suite suite;
  suite.name = "random-mixed";
  suite.amount =
      absl::StrCat("runs of ", options.operations, " operations per thread");
  suite.field = RandomMixedField();
  suite.cases = Cases(options);
  suite.judge = JudgeRandomMixed;
  suite.text_report = TextReport;
  suite.files = {{"json", JsonText}, {"html", HtmlReport}};
  return suite;
}

}  // namespace hakmem::bench
