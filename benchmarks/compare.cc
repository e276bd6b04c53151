// Compares allocators on the random-mixed workload (random_mixed.h):
//
//   ./bazelw run //benchmarks:compare -- [flags]      (--help lists them)
//
// HAKMEM's variants, glibc and every other allocator that is installed run in
// processes of their own, interleaved; the report says what each costs per
// operation, against the others and above the harness floor, and whether what
// the project asked of its allocator was reached.
//
// Exit status: 0; 1 when an allocator failed or a file could not be written;
// 2 on bad flags or a library that cannot be preloaded; 130 when interrupted
// (the report then holds what there is).
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/driver.h"
#include "benchmarks/machine.h"
#include "benchmarks/options.h"
#include "benchmarks/random_mixed_criteria.h"
#include "benchmarks/report_html.h"
#include "benchmarks/report_text.h"

namespace hakmem::bench {
namespace {

constexpr char kProgram[] = "compare";

// Working sets in the outer loop: the report begins with the smallest.
std::vector<Case> Cases(const Options& options) {
  std::vector<Case> cases;
  for (const uint64_t slots : options.sets) {
    for (const uint64_t threads : options.threads) {
      cases.push_back({slots, threads});
    }
  }
  return cases;
}

// A hundred times what is usual.
std::chrono::milliseconds Limit(uint64_t operations, const Case& a_case) {
  return std::chrono::milliseconds(60'000 + (operations + 16 * a_case.slots) *
                                                a_case.threads / 500);
}

Suite RandomMixedSuite(const Options& options) {
  const uint64_t operations = options.operations;
  Suite suite;
  suite.program = kProgram;
  suite.name = "random-mixed";
  suite.amount = absl::StrCat("runs of ", operations, " operations per thread");
  suite.field = {"benchmarks/random_mixed_worker",
                 {"--slots=64", "--operations=64"},
                 {"segment", "superslab"},
                 /*floor=*/true};
  suite.cases = Cases(options);
  suite.arguments = [operations](const Case& a_case) {
    return std::vector<std::string>{absl::StrCat("--slots=", a_case.slots),
                                    absl::StrCat("--threads=", a_case.threads),
                                    absl::StrCat("--operations=", operations)};
  };
  suite.limit = [operations](const Case& a_case) {
    return Limit(operations, a_case);
  };
  suite.judge = JudgeRandomMixed;
  suite.text_report = TextReport;
  suite.html_report = HtmlReport;
  return suite;
}

int Main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const absl::StatusOr<Options> options =
      ParseOptions(arguments, UsableCores());
  if (!options.ok()) {
    return Complain(kProgram, kBadInput, options.status().message());
  }
  if (options->help) {
    std::cout << HelpText();
    return 0;
  }
  return RunSuite(RandomMixedSuite(*options), *options, arguments);
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) { return hakmem::bench::Main(argc, argv); }
