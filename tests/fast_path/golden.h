// The text of tests/fast_path/fast_path.golden.
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

// What compiled this program, and the library beside it: "gcc 12". Another
// compiler, or another level of optimisation, makes other instructions.
std::string Compiler();

// The compiler that `golden` is about; "" when it says none.
std::string CompilerOf(absl::string_view golden);

std::string GoldenText(const std::string& compiler,
                       const std::vector<BackendPaths>& backends);

// The text for the two libraries that this program has among its data, as they
// are now. kUnavailable where this machine cannot count.
absl::StatusOr<std::string> GoldenTextNow();

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_GOLDEN_H_
