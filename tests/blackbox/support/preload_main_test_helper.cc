// main() of the preloaded tests. See preload_test_helper.h.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

int main(int argc, char** argv) {
  using hakmem_test::ChildProgram;

  // Set by the first run for the second, which then does not start a third.
  static constexpr char kMarker[] = "HAKMEM_TEST_IS_PRELOADED";
  if (getenv(kMarker) == nullptr) {
    setenv(kMarker, "1", 1);
    setenv("LD_PRELOAD", hakmem_test::LibraryPath().c_str(), 1);
    hakmem_test::ExecThisProgram(argv);
    perror("cannot run this test again");
    return 1;
  }
  const std::string problem = hakmem_test::PreloadProblem();
  if (!problem.empty()) {
    fprintf(stderr, "the preload did not take effect: %s\n", problem.c_str());
    return 1;
  }
  const std::string prefix = "--child_program=";
  if (argc > 1 && std::string(argv[1]).compare(0, prefix.size(), prefix) == 0) {
    int (*run)() = ChildProgram::Find(argv[1] + prefix.size());
    if (run == nullptr) {
      fprintf(stderr, "there is no child program %s\n", argv[1]);
      return 1;
    }
    exit(run());
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
