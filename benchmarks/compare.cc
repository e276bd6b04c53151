// Compares allocators:
//
//   ./bazelw run //benchmarks:compare -- [flags]      (--help lists them)
//
// HAKMEM's variants, glibc and every other allocator that is installed run in
// processes of their own, interleaved; the report says what each costs, in time
// and in memory, against the others, and whether what the project asked of its
// allocator was reached. Without --suite it runs the random-mixed workload
// (random_mixed_suite.h); --suite=quick and --suite=full run many workloads
// (bench_suite.h).
//
// Exit status: 0; 1 when an allocator failed, a file could not be written, or
// something became worse since the result in --against; 2 on bad flags, a
// library that cannot be preloaded, or a bad file in --against; 130 when
// interrupted (the report then holds what there is).
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/bench_suite.h"
#include "benchmarks/driver.h"
#include "benchmarks/harness/machine.h"
#include "benchmarks/harness/options.h"
#include "benchmarks/random_mixed_suite.h"

namespace hakmem::bench {
namespace {

constexpr char kProgram[] = "compare";

absl::StatusOr<Suite> MakeSuite(const Options& options) {
  if (options.suite == SuiteChoice::kRandomMixed) {
    return RandomMixedSuite(options);
  }
  return BenchSuite(options);
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
  absl::StatusOr<Suite> suite = MakeSuite(*options);
  if (!suite.ok()) {
    return Complain(kProgram, kBadInput, suite.status().message());
  }
  suite->program = kProgram;
  return RunSuite(*suite, *options, arguments);
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) { return hakmem::bench::Main(argc, argv); }
