// What every program that compares allocators lets its user choose: how often,
// how long, whom, and where the files go.
#ifndef HAKMEM_BENCHMARKS_HARNESS_RUN_OPTIONS_H_
#define HAKMEM_BENCHMARKS_HARNESS_RUN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/harness/flags.h"

namespace hakmem::bench {

struct Peer {
  std::string name;
  std::string library;
};

// What an allocator needs in the environment.
struct PeerVariable {
  std::string peer;      // its name
  std::string variable;  // "NAME=value"
};

// A number that the user has not given and Settle has not filled in.
inline constexpr uint64_t kNotGiven = UINT64_MAX;

struct RunOptions {
  uint64_t repeats = kNotGiven;
  uint64_t seconds = kNotGiven;  // begin no repeat after; 0: no limit
  std::vector<Peer> peers;
  std::vector<PeerVariable> peer_variables;
  std::vector<std::string> only;  // names; empty: all
  std::string out;                // empty: write no files
  bool quick = false;             // a look, not a result
  bool help = false;
};

// What holds where the user gives nothing, and what --help says.
struct RunDefaults {
  std::string program;  // names the files of --out
  uint64_t repeats;
  uint64_t quick_repeats;
  uint64_t seconds;
  std::string only_help;
  std::string quick_help;
};

// The flags that store to `options`.
std::vector<Flag> RunFlags(const RunDefaults& defaults, RunOptions& options);

// Fills in what was not given.
void Settle(const RunDefaults& defaults, RunOptions& options);

// `path` as the user meant it: under `bazel run` the working directory is
// another than the one the command was typed in.
std::string UserPath(const std::string& path);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_RUN_OPTIONS_H_
