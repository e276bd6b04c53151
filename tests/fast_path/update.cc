// Regenerates tests/fast_path/fast_path.golden and shows the changes:
//
//   ./bazelw run //tests/fast_path:update
//
// Exit status: 0, also without changes; 1 if the paths cannot be counted or the
// file not written; 2 on bad use.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/fast_path/golden.h"
#include "tests/fast_path/line_diff.h"

namespace hakmem::bench {
namespace {

int Complain(int status, absl::string_view what) {
  std::cerr << "update: " << what << std::endl;
  return status;
}

int Main(int argc) {
  const char* const tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (argc != 1 || tree == nullptr) {
    return Complain(2, "run it as ./bazelw run //tests/fast_path:update");
  }
  if (absl::StrContains(Compiler(), ',')) {
    return Complain(
        2, absl::StrCat("this build cannot make the file: ", Compiler()));
  }
  const absl::StatusOr<std::string> now = GoldenTextNow();
  if (!now.ok()) return Complain(1, now.status().message());

  const std::string path = absl::StrCat(tree, "/tests/fast_path/fast_path.golden");
  std::ostringstream before;
  // A missing file reads as an empty one.
  before << std::ifstream(path).rdbuf();
  std::ofstream file(path);
  file << *now << std::flush;
  if (!file) return Complain(1, absl::StrCat("cannot write ", path));
  const std::string difference = LineDiff(before.str(), *now);
  std::cout << (difference.empty() ? "Nothing has changed.\n" : difference);
  return 0;
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char**) { return hakmem::bench::Main(argc); }
