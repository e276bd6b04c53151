// The command line of `compare`.
#ifndef HAKMEM_BENCHMARKS_OPTIONS_H_
#define HAKMEM_BENCHMARKS_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/run_options.h"

namespace hakmem::bench {

struct Options : RunOptions {
  std::vector<uint64_t> sets = {256, 8192};  // slots, ascending
  std::vector<uint64_t> threads;             // ascending; never empty
  uint64_t operations = kNotGiven;           // per thread and run
};

// Parses `arguments` (without the program's name). The error is one line
// without the program's name. `cores` gives the default of --threads: 1 and one
// per core.
absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores);

// What --help prints.
std::string HelpText();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_OPTIONS_H_
