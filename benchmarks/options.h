// The command line of `compare`.
#ifndef HAKMEM_BENCHMARKS_OPTIONS_H_
#define HAKMEM_BENCHMARKS_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hakmem::bench {

struct Peer {
  std::string name;
  std::string library;
};

struct Options {
  std::vector<uint64_t> sets = {256, 8192};  // slots, ascending
  std::vector<uint64_t> threads;             // ascending; never empty
  uint64_t repeats = 15;
  uint64_t operations = 20'000'000;  // per thread and run
  uint64_t seconds = 150;            // begin no repeat after; 0: no limit
  std::vector<Peer> peers;
  std::vector<std::string> only;  // names; empty: all
  std::string out;                // empty: write no files
  bool help = false;
};

// Parses `arguments` (without the program's name): `--flag=value` or
// `--flag value`. The error is one line without the program's name.
// `cores` gives the default of --threads: 1 and one per core.
absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores);

// What --help prints.
std::string HelpText();

// `path` as the user meant it: under `bazel run` the working directory is
// another than the one the command was typed in.
std::string UserPath(const std::string& path);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_OPTIONS_H_
