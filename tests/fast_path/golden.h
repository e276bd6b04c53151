// Generates and parses tests/fast_path/fast_path.golden.
#ifndef HAKMEM_TESTS_FAST_PATH_GOLDEN_H_
#define HAKMEM_TESTS_FAST_PATH_GOLDEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/fast_path/fast_path.h"

namespace hakmem::bench {

struct BackendPaths {
  std::string backend;
  std::vector<FastPath> paths;  // one for each of kMeasuredFunctions
};

// The compiler of this program and of the library: "gcc 12". Another compiler
// or optimisation level generates other instructions.
std::string Compiler();

// The compiler named in `golden`; "" if none.
std::string CompilerOf(absl::string_view golden);

std::string GoldenText(const std::string& compiler,
                       const std::vector<BackendPaths>& backends);

// The text for the two libraries in this program's runfiles, as they are now.
// kUnavailable where this machine cannot count.
absl::StatusOr<std::string> GoldenTextNow();

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_GOLDEN_H_
