// The soak as a whole, by its command line: it is content with the library, and
// finds what is wrong with an allocator that is broken on purpose.
//
// The build gives the paths of the tool and of the broken allocator, from the
// folder the test starts in: SOAK_TEST_TOOL, SOAK_TEST_BROKEN.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/subprocess/shell_test_helper.h"

namespace hakmem_test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// Runs a line of shell, in which $tool and $broken stand for what is tested.
Result Shell(const std::string& line) {
  return RunShell("tool=$PWD/$SOAK_TEST_TOOL; broken=$PWD/$SOAK_TEST_BROKEN;",
                  line);
}

// A second of work on the broken allocator.
Result OnBroken(const std::string& way) {
  return Shell("SOAK_BREAK=" + way +
               " $tool --library=$broken --minutes=0.03 --round=0 --seed=5"
               " --threads=4 --memory-mib=64");
}

TEST(SoakTest, TheLibraryPasses) {
  const Result result =
      Shell("$tool --minutes=0.15 --ace=adaptive --threads=4 --memory-mib=64");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_THAT(
      result.out,
      AllOf(ContainsRegex(
                "round 0: "
                "libhakmem-segment(-notrace|-checks|-full)?-verify.so, .*: "
                "ok\n"),
            ContainsRegex(
                "round 1: "
                "libhakmem-superslab(-notrace|-checks|-full)?-verify.so, .*: "
                "ok"),
            ContainsRegex("soak: [0-9]+ rounds: .* M operations, .* checks, "
                          "[0-9]+ forks, [1-9][0-9]* threads, .*; 0 errors")));
}

TEST(SoakTest, BothBackEndsRunAtOnce) {
  const Result result = Shell(
      "$tool --parallel --minutes=0.01 --ace=off --threads=2 --memory-mib=64");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_THAT(result.out,
              ContainsRegex("libhakmem-segment-ace_off-verify.so.*\n"
                            "round 1: libhakmem-superslab-"));
}

TEST(SoakTest, AnHonestAllocatorOfAnotherKindPasses) {
  const Result result = OnBroken("nothing");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
}

struct Breakage {
  const char* way;
  const char* complaint;  // as a regular expression
};

class SoakBreakageTest : public testing::TestWithParam<Breakage> {};

TEST_P(SoakBreakageTest, IsFound) {
  const Result result = OnBroken(GetParam().way);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_THAT(result.out,
              AllOf(ContainsRegex(GetParam().complaint),
                    ContainsRegex("round 0: .*: [0-9]+ ERRORS\n"),
                    ContainsRegex("to repeat: ./bazelw run //tools:soak -- "
                                  "--seed=5 --round=0 ")));
}

INSTANTIATE_TEST_SUITE_P(
    EachWay, SoakBreakageTest,
    testing::Values(
        Breakage{"corrupt", "was overwritten at byte [1-9]"},
        Breakage{"overlap", "was overwritten at byte 0\n"},
        Breakage{"big_overlap", "which lies in another block"},
        Breakage{"unzeroed", "calloc of [0-9]+ bytes gave .*, not zero"},
        Breakage{"truncate", "was overwritten at byte 0\n"},
        Breakage{"misalign", "not aligned to"},
        Breakage{"refuse", "was refused without a limit"},
        Breakage{"errno", "changed errno to 22"},
        Breakage{"leak", "at the end live memory is [0-9]+ bytes"},
        Breakage{"metadata", "hakmem_check_heap finds faults at the end"},
        Breakage{"crash", "it was ended by signal 6"}),
    [](const auto& info) { return std::string(info.param.way); });

TEST(SoakTest, CtrlCReportsWhatThereIs) {
  const Result result = Shell(
      "$tool --minutes=5 --threads=2 --memory-mib=64 & pid=$!; sleep 1;"
      "kill -INT $pid; wait $pid");
  EXPECT_EQ(result.status, 130) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("soak: interrupted after 1 rounds: "));
}

TEST(SoakTest, ALibraryThatCannotBePreloadedIsAnError) {
  const Result result =
      Shell("$tool --library=/etc/passwd --minutes=0.01 --round=0");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("malloc is not that of LD_PRELOAD"));
}

TEST(SoakTest, BadFlagsAreOneLine) {
  for (const char* const flags :
       {"--frobnicate", "--minutes=0", "--minutes=long", "--minutes",
        "--backend=none", "--ace=adaptive,none", "--threads=0", "--threads=65",
        "--seed=x", "--parallel=1", "--library=", "--library=/no/such/file"}) {
    const Result result = Shell(std::string("$tool ") + flags);
    EXPECT_EQ(result.status, 2) << flags;
    EXPECT_EQ(result.out, "") << flags;
    EXPECT_THAT(result.err, MatchesRegex("soak: [^\n]+\n")) << flags;
  }
}

TEST(SoakTest, HelpNamesTheFlags) {
  const Result result = Shell("$tool --help");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("--minutes="), HasSubstr("--seed="),
                                HasSubstr("--parallel\n")));
}

}  // namespace
}  // namespace hakmem_test
