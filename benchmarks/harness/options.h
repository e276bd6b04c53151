// The command line of `compare` and `ace`.
#ifndef HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_
#define HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/harness/case.h"
#include "benchmarks/harness/suites.h"

namespace hakmem::bench {

// An allocator that the user names, to be preloaded.
struct Peer {
  std::string name;
  std::string library;
};

// What an allocator needs in the environment.
struct PeerVariable {
  std::string peer;      // its name
  std::string variable;  // "NAME=value"
};

// All filled in, with the suite's defaults where the user gave nothing.
struct Options {
  const Suite* suite = nullptr;
  uint64_t repeats = 0;
  uint64_t seconds = 0;           // begin no repeat after; 0: no limit
  uint64_t effort = 100;          // percent of the usual work
  std::vector<std::string> only;  // allocators; empty: all
  std::vector<Peer> peers;
  std::vector<PeerVariable> peer_variables;
  std::string out;      // a directory; empty: write no files
  std::string against;  // a former result.json; empty: none
  std::string help;     // not empty: print it and do nothing else

  // Of the grid of random-mixed.
  std::vector<uint64_t> sets;     // slots, ascending
  std::vector<uint64_t> threads;  // ascending
  uint64_t operations = 0;        // per thread and run
  // Of the catalogue.
  std::vector<std::string> kinds;      // empty: all
  std::vector<std::string> workloads;  // empty: all of the kinds
};

// Parses `arguments` (without the program's name). Nothing when they are bad:
// then `error` is one line without the program's name. `cores` gives the
// default of --threads: 1 and one per core.
std::optional<Options> ParseOptions(const std::vector<std::string>& arguments,
                                    const std::string& default_suite,
                                    uint64_t cores, std::string& error);

// What the options ask to be run.
std::vector<Case> ChosenCases(const Options& options);

// Letters, digits and a few signs that are safe in file names.
bool IsName(const std::string& text);

// `path` as the user meant it: under `bazel run` the working directory is
// another than the one the command was typed in.
std::string UserPath(const std::string& path);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_OPTIONS_H_
