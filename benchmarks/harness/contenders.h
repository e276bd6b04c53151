// Who takes part in a comparison: the floor where there is one, variants of
// HAKMEM, glibc, the allocators that the system has installed, and those the
// user names.
#ifndef HAKMEM_BENCHMARKS_HARNESS_CONTENDERS_H_
#define HAKMEM_BENCHMARKS_HARNESS_CONTENDERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/harness/process.h"
#include "benchmarks/harness/run_options.h"

namespace hakmem::bench {

struct Contender {
  enum Kind { kFloor, kVariant, kGlibc, kPeer };
  std::string name;
  Kind kind;
  std::string library;  // what to preload; empty for the floor and glibc
  std::string version;  // what people should know it by
  std::vector<std::string> environment = {};  // "NAME=value"
};

// Who may take part, and the program that each of them runs.
struct Field {
  std::string worker;              // a file under RunfilesRoot()
  std::vector<std::string> probe;  // its arguments for a short run
  // HAKMEM's, as in //:libhakmem-NAME.so, a file there too.
  std::vector<std::string> variants;
  // The same, of which only those that --only names take part.
  std::vector<std::string> variants_on_request = {};
  bool floor = false;  // the worker knows --floor
};

struct Roster {
  std::vector<Contender> contenders;  // the floor is the first
  std::vector<std::string> absent;    // one line each: who is not here and why
};

// The folder under which Bazel laid out this program's data files, as the
// source tree has them, among them the field's worker; empty when there is
// none.
std::string RunfilesRoot(const Field& field);

// The worker program under `root`.
std::string WorkerPath(const Field& field, const std::string& root);

// Finds everyone that `options` admit and makes sure, by running each for a
// moment, that preloading works. The error (one line) says which variant,
// --peer or name in --only cannot take part; kCancelled means interrupted.
absl::StatusOr<Roster> FindContenders(const Field& field,
                                      const RunOptions& options,
                                      const std::string& root,
                                      Interrupt& interrupt);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_CONTENDERS_H_
