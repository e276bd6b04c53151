// Who takes part in a comparison: the floor, HAKMEM's fixed variants, glibc,
// the allocators that the system has installed, and those the user names.
#ifndef HAKMEM_BENCHMARKS_CONTENDERS_H_
#define HAKMEM_BENCHMARKS_CONTENDERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/options.h"
#include "benchmarks/process.h"

namespace hakmem::bench {

struct Contender {
  enum Kind { kFloor, kVariant, kGlibc, kPeer };
  std::string name;
  Kind kind;
  std::string library;  // what to preload; empty for the floor and glibc
  std::string version;  // what people should know it by
};

struct Roster {
  std::vector<Contender> contenders;  // the floor is the first
  std::vector<std::string> absent;    // one line each: who is not here and why
};

// The folder under which Bazel laid out this program's data files, as the
// source tree has them; empty when there is none.
std::string RunfilesRoot();

// The worker program under `root`.
std::string WorkerPath(const std::string& root);

// Finds everyone that `options` admit and makes sure, by running each for a
// moment, that preloading works. The error (one line) says which variant,
// --peer or name in --only cannot take part; kCancelled means interrupted.
absl::StatusOr<Roster> FindContenders(const Options& options,
                                      const std::string& root,
                                      Interrupt& interrupt);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_CONTENDERS_H_
