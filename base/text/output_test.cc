#include "base/text/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace hakmem {
namespace {

constexpr options::Option kOption = options::k_stats_at_exit;

// Options are read once per process, so each case runs in its own process.
void Send(const std::string& value,
          void (*send)(options::Option, const char*, size_t) = SendLine) {
  setenv("HAKMEM_STATS_AT_EXIT", value.c_str(), 1);
  options::Read();
  if (options::Get(kOption) != 1) exit(1);
  if (chdir("/") != 0) exit(2);  // a path is resolved at start
  errno = 7;
  send(kOption, "one", 3);
  send(kOption, "two", 3);
  exit(errno == 7 ? 0 : 3);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string TemporaryFolder() {
  std::string folder = testing::TempDir() + "/output_test_XXXXXX";
  return mkdtemp(folder.data()) == nullptr ? "" : folder;
}

TEST(OutputDeathTest, OneIsStderr) {
  EXPECT_EXIT(Send("1"), testing::ExitedWithCode(0),
              "^hakmem\\[[0-9]+\\]: one\nhakmem\\[[0-9]+\\]: two\n$");
  EXPECT_EXIT(Send("1", SendData), testing::ExitedWithCode(0),
              "^hakmem: one\nhakmem: two\n$");
}

// Human-readable lines without the process id in their prefixes.
std::string WithoutProcesses(const std::string& text) {
  return std::regex_replace(text, std::regex("hakmem\\[[0-9]+\\]: "), "");
}

TEST(OutputDeathTest, APathIsAppendedTo) {
  const std::string path = TemporaryFolder() + "/lines";
  std::ofstream(path) << "zero\n";
  EXPECT_EXIT(Send(path), testing::ExitedWithCode(0), "^$");
  EXPECT_EQ(Contents(path).rfind("zero\nhakmem[", 0), 0u) << Contents(path);
  EXPECT_EQ(WithoutProcesses(Contents(path)), "zero\none\ntwo\n");
  std::ofstream(path) << "zero\n";
  EXPECT_EXIT(Send(path, SendData), testing::ExitedWithCode(0), "^$");
  EXPECT_EQ(Contents(path), "zero\none\ntwo\n");
}

TEST(OutputDeathTest, ARelativePathIsOfTheFolderAtTheStart) {
  const std::string folder = TemporaryFolder();
  EXPECT_EXIT(
      {
        if (chdir(folder.c_str()) != 0) exit(4);
        Send("lines.txt");
      },
      testing::ExitedWithCode(0), "^$");
  EXPECT_EQ(WithoutProcesses(Contents(folder + "/lines.txt")), "one\ntwo\n");
}

TEST(OutputDeathTest, AFileThatCannotBeOpenedIsOneLine) {
  EXPECT_EXIT(
      Send("/nonexistent/folder/file"), testing::ExitedWithCode(0),
      "^hakmem\\[[0-9]+\\]: HAKMEM_STATS_AT_EXIT: cannot open \\(ENOENT\\), so "
      "nothing is written to /nonexistent/folder/file\n$");
}

TEST(OutputDeathTest, AFifoThatNobodyReadsDoesNotBlock) {
  const std::string path = TemporaryFolder() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EXIT(Send(path), testing::ExitedWithCode(0), "cannot open");
}

TEST(OutputDeathTest, AClosedStderrIsHarmless) {
  EXPECT_EXIT(
      {
        close(STDERR_FILENO);
        Send("1");
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hakmem
