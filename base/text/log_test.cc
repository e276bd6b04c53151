#include "base/text/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace hakmem {
namespace {

std::string Built(void (*build)(TextBuffer&)) {
  char buffer[128];
  TextBuffer text(buffer, sizeof(buffer));
  build(text);
  return std::string(buffer, std::min(text.length(), sizeof(buffer)));
}

TEST(TextBuffer, WritesNumbers) {
  EXPECT_EQ(Built([](TextBuffer& t) { t.Decimal(0); }), "0");
  EXPECT_EQ(Built([](TextBuffer& t) { t.Decimal(UINT64_MAX); }),
            "18446744073709551615");
  EXPECT_EQ(Built([](TextBuffer& t) { t.Hex(0); }), "0x0");
  EXPECT_EQ(Built([](TextBuffer& t) { t.Hex(0x7f00dead1000); }),
            "0x7f00dead1000");
  EXPECT_EQ(Built([](TextBuffer& t) { t.Hex(UINTPTR_MAX); }),
            "0xffffffffffffffff");
}

TEST(TextBuffer, CutsWhatDoesNotFitButCountsIt) {
  char buffer[4] = {'-', '-', '-', '-'};
  TextBuffer text(buffer, 3);
  text.Text("abcdef");
  EXPECT_EQ(text.length(), 6u);
  EXPECT_EQ(std::string(buffer, 4), "abc-");
}

std::string Prefix() { return "hakmem[" + std::to_string(getpid()) + "]: "; }

TEST(LogLine, NamesTheProcessThatWritesIt) {
  const std::string parent = Prefix();
  EXPECT_EXIT(
      {
        LogLine().Text("here").Send();
        exit(Prefix() == parent ? 1 : 0);
      },
      testing::ExitedWithCode(0), "^hakmem\\[[0-9]+\\]: here\n$");
  char text[kLinePrefixBytes];
  TextBuffer longest(text, sizeof(text));
  WriteLinePrefix(longest);
  EXPECT_EQ(std::string(text, longest.length()), parent);
}

TEST(LogLine, IsOneLineOnStderrAndKeepsErrno) {
  testing::internal::CaptureStderr();
  errno = 5;
  LogLine().Text("answer ").Decimal(42).Send();
  EXPECT_EQ(errno, 5);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), Prefix() + "answer 42\n");
}

TEST(LogLine, StaysOneLineWhateverTheText) {
  testing::internal::CaptureStderr();
  LogLine().Text("a\nb\x1b[31mc").Send();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), Prefix() + "a?b?[31mc\n");
}

TEST(LogLine, LongTextIsCutToOneLine) {
  testing::internal::CaptureStderr();
  LogLine().Text(std::string(5000, 'x').c_str()).Send();
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.size(), 512u);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(LogLineDeathTest, AbortsAfterTheLine) {
  EXPECT_DEATH(LogLine().Text("no way on").SendAndAbort(),
               "^hakmem\\[[0-9]+\\]: no way on\n$");
}

}  // namespace
}  // namespace hakmem
