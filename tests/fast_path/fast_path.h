// Describes the paths of an allocator: each instruction that trace.h recorded,
// and what disassembly.h says it does.
#ifndef HAKMEM_TESTS_FAST_PATH_FAST_PATH_H_
#define HAKMEM_TESTS_FAST_PATH_FAST_PATH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/fast_path/disassembly.h"
#include "tests/fast_path/trace.h"

namespace hakmem::bench {

// Inside the library, except `outside`. Instruction defines what is counted.
struct PathCounts {
  int instructions = 0;
  int branches = 0;
  int loads = 0;
  int stores = 0;
  int atomics = 0;
  int pushes_and_pops = 0;
  int calls = 0;
  int outside = 0;  // times the path left the library, for libc's memset
};

// A function on the path, and the instructions run in it.
struct Hop {
  std::string function;
  int entries = 0;  // by a call or a jump, and by returns to it
  int instructions = 0;
};

struct FastPath {
  PathCounts counts;
  // In order of first entry.
  std::vector<Hop> hops;
  // The instructions as text, one line for each run up to a branch, jump, call
  // or return. A line in brackets says where the path continues: [into the
  // function], [outside].
  std::vector<std::string> lines;
};

// Describes a path of these steps (see TracedCall::steps).
FastPath Describe(const Disassembly& library,
                  const std::vector<uint64_t>& steps);

// The shortest sequence of steps that three of several calls of a function
// share: rare work, such as a look at the clock, makes a call longer. The error
// is kInternal when no three calls agree, as then the count means nothing.
absl::StatusOr<std::vector<uint64_t>> Settle(
    const std::vector<TracedCall>& calls, size_t function);

// The path of each of kMeasuredFunctions, counted by running `caller` (see
// trace.h) with `library`. kUnavailable where this machine cannot count.
absl::StatusOr<std::vector<FastPath>> CountFastPaths(
    const std::string& caller, const std::string& library);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_FAST_PATH_H_
