// A C program (plain_c_program_test_helper.c) runs on the preloaded library
// without a C++ runtime.
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

int RunPlainC(const std::string& assignment) {
  const char* program = getenv("HAKMEM_TEST_PLAIN_C");
  EXPECT_NE(program, nullptr);
  if (program == nullptr) return -1;
  // See run.sh in third_party/toolchains/aarch64.
  const char* emulator = getenv("HAKMEM_TEST_EMULATOR");
  const int status = system(
      (assignment + " " + (emulator != nullptr ? emulator : "") + " " + program)
          .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PlainCTest, RunsWithoutACxxRuntime) {
  EXPECT_EQ(RunPlainC("LD_PRELOAD='" + LibraryPath() + "'"), 0);
}

TEST(PlainCTest, TheProgramTellsAMissingPreload) {
  EXPECT_EQ(RunPlainC("LD_PRELOAD="), 3);
}

}  // namespace
}  // namespace hakmem_test
