// Describes the fast paths of an allocator: each instruction traced by trace.h,
// with its effects as parsed by disassembly.h.
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
  int outside = 0;  // times that the path left the library, for libc's memset
};

struct FastPath {
  PathCounts counts;
  // The instructions as text, one line per run up to a branch, jump, call or
  // return. A line in brackets names where the path continues: [into the
  // function], [outside].
  std::vector<std::string> lines;
};

// Describes a path of these steps (see TracedCall::steps).
FastPath Describe(const Disassembly& library,
                  const std::vector<uint64_t>& steps);

// Selects among several calls of one function those with the fewest steps: rare
// work, such as a look at the clock, can only lengthen a call. The error is
// kInternal if no two of these agree, as the count is then meaningless.
absl::StatusOr<std::vector<uint64_t>> Settle(
    const std::vector<TracedCall>& calls, size_t function);

// The fast path of each of kMeasuredFunctions, counted by running `caller` (see
// trace.h) with `library`. kUnavailable where this machine cannot count.
absl::StatusOr<std::vector<FastPath>> CountFastPaths(
    const std::string& caller, const std::string& library);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_FAST_PATH_H_
