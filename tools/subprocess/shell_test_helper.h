// shell_test_helper.h: for tests of a tool as a whole, by lines of shell.
#ifndef HAKMEM_TOOLS_SUBPROCESS_SHELL_TEST_HELPER_H_
#define HAKMEM_TOOLS_SUBPROCESS_SHELL_TEST_HELPER_H_

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tools/subprocess/subprocess.h"

namespace hakmem_test {

struct Result {
  int status = -1;  // -1: a signal ended the shell
  std::string out;
  std::string err;
};

// The path of a file that only this test uses.
inline std::string Temporary(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

inline std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs `line`, after `variables` were set for it ("tool=/path;"). Returns when
// the shell has ended, whatever it has left in the background.
inline Result RunShell(const std::string& variables, const std::string& line) {
  using hakmem::tools::Stream;
  const std::string out = Temporary("out");
  const std::string err = Temporary("err");
  const hakmem::tools::ProcessResult shell =
      hakmem::tools::RunProcess({.arguments = {"sh", "-c", variables + line},
                                 .output = Stream::File(out),
                                 .errors = Stream::File(err),
                                 .own_group = false});
  return {shell.ending == shell.kExited ? shell.code : -1, Contents(out),
          Contents(err)};
}

}  // namespace hakmem_test

#endif  // HAKMEM_TOOLS_SUBPROCESS_SHELL_TEST_HELPER_H_
