// The command line of `compare`.
#ifndef HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_
#define HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/harness/case.h"
#include "benchmarks/harness/run_options.h"

namespace hakmem::bench {

enum class SuiteChoice { kRandomMixed, kQuick, kFull };

struct Options : RunOptions {
  SuiteChoice suite = SuiteChoice::kRandomMixed;
  // Of random-mixed.
  std::vector<uint64_t> sets;       // slots, ascending; never empty
  std::vector<uint64_t> threads;    // ascending; never empty
  uint64_t operations = kNotGiven;  // per thread and run
  // Of the other suites.
  std::vector<std::string> kinds;      // empty: all
  std::vector<std::string> workloads;  // empty: all of the kinds
  uint64_t effort = kNotGiven;         // percent of the usual work
  std::string against;                 // a former result; empty: none
};

// Parses `arguments` (without the program's name). The error is one line
// without the program's name. `cores` gives the default of --threads: 1 and one
// per core.
absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores);

// "random-mixed", as --suite takes it.
std::string SuiteText(SuiteChoice suite);

// The cases of the suites quick and full that kinds and workloads admit.
std::vector<Case> ChosenCases(const Options& options);

// What --help prints.
std::string HelpText();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_
