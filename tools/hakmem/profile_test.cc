// `hakmem profile` by the command line: variables as in hakmem_test.cc, and
// HAKMEM_TEST_READER, a reader of pprof's format that is not ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tools/subprocess/shell_test_helper.h"

namespace hakmem_test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

Result Shell(const std::string& line) {
  return RunShell(
      "tool=$PWD/$HAKMEM_TEST_TOOL; program=$PWD/$HAKMEM_TEST_PROGRAM;"
      "static=$PWD/$HAKMEM_TEST_STATIC_PROGRAM;",
      line);
}

// The helper holds 40 MiB, 30 and 10 MiB at two known sites.
constexpr char kHolds[] = " -- $program hold";

int64_t LiveAt(const nlohmann::json& profile, const std::string& function) {
  int64_t bytes = 0;
  for (const auto& site : profile["sites"]) {
    for (const auto& frame : site["stack"]) {
      if (frame["function"].get<std::string>().find(function) !=
          std::string::npos) {
        bytes += site["live"]["bytes"].get<int64_t>();
        break;
      }
    }
  }
  return bytes;
}

TEST(ProfileTest, LiveBytesBySiteAreWithin5PercentForBothBackEnds) {
  for (const std::string backend : {"segment", "superslab"}) {
    const Result result =
        Shell("$tool profile --rate=2K --json=- --backend=" + backend + kHolds);
    ASSERT_EQ(result.status, 0) << result.err;
    const auto profile = nlohmann::json::parse(result.out);
    constexpr double kMiB = 1 << 20;
    EXPECT_NEAR(LiveAt(profile, "HoldMuch") / (30 * kMiB), 1, 0.05) << backend;
    EXPECT_NEAR(LiveAt(profile, "HoldLittle") / (10 * kMiB), 1, 0.05)
        << backend;
  }
}

TEST(ProfileTest, TheTableIsOnStderrAndTheCommandHasItsStreamsAndStatus) {
  const Result result = Shell(
      "$tool profile --top=3 --rate=2K -- sh -c "
      "\"$program hold; echo out; exit 7\"");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_THAT(result.err, AllOf(HasSubstr("where"), HasSubstr("in total"),
                                ContainsRegex("HoldMuch.* < ")));
}

TEST(ProfileTest, TwoProfilesAreCompared) {
  const std::string one = Temporary("one.pb.gz");
  const std::string two = Temporary("two.pb.gz");
  const Result result =
      Shell("$tool profile --top=0 --rate=1K --out=" + one + kHolds +
            " && $tool profile --top=0 --rate=1K --out=" + two + kHolds +
            " more && $tool profile --diff " + one + " " + two);
  EXPECT_EQ(result.status, 0) << result.err;
  // 20 MiB more at one site; the other is the same but for the sampling error.
  EXPECT_THAT(result.out, ContainsRegex("(19|20|21)\\.[0-9] MiB .* HoldMuch"));
}

TEST(ProfileTest, AnotherReaderDecodesTheFile) {
  const std::string file = Temporary("read.pb.gz");
  const Result result =
      Shell("$tool profile --top=0 --rate=2K --out=" + file + kHolds +
            " && python3 $HAKMEM_TEST_READER " + file);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out,
              HasSubstr("alloc_objects alloc_space inuse_objects inuse_space "
                        "peak_objects peak_space\n"));
  EXPECT_THAT(result.out, ContainsRegex("\nHoldMuch (29|3[0-3])[0-9]{6}\n"));
}

TEST(ProfileTest, BadInputIsOneLineAndStatus2) {
  const std::string text = Temporary("text");
  for (const std::string& line : std::vector<std::string>{
           "", "--rate=0 -- true", "--rate=2G -- true", "--rate=much -- true",
           "--top=x -- true", "--unknown -- true", "--diff one",
           "--diff /nowhere /nowhere", "--diff " + text + " " + text}) {
    const Result result =
        Shell("echo text >" + text + "; $tool profile " + line);
    EXPECT_EQ(result.status, 2) << line;
    EXPECT_THAT(result.out, IsEmpty()) << line;
    EXPECT_THAT(result.err, MatchesRegex("hakmem: [^\n]+\n")) << line;
  }
}

TEST(ProfileTest, WhatLeavesNoProfileIsSaid) {
  const Result none = Shell("$tool profile -- /nowhere");
  EXPECT_EQ(none.status, 127);
  EXPECT_THAT(none.err, MatchesRegex("hakmem: [^\n]+\n"));
  const Result is_static = Shell("$tool profile -- $static");
  EXPECT_NE(is_static.status, 0);
  EXPECT_THAT(is_static.err, HasSubstr("hakmem: there is no profile: "));
  const Result killed = Shell("$tool profile -- sh -c 'kill -KILL $$'");
  EXPECT_EQ(killed.status, 128 + 9);
  EXPECT_THAT(killed.err, HasSubstr("there is no profile: "));
  const Result full = Shell("$tool profile --top=0 --rate=2K --out=/dev/full" +
                            std::string(kHolds));
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, MatchesRegex("hakmem: /dev/full: [^\n]+\n"));
}

TEST(ProfileTest, HelpHasAnExample) {
  const Result result = Shell("$tool profile --help");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("Example: hakmem profile"),
                                HasSubstr("--diff"), HasSubstr("--rate")));
}

}  // namespace
}  // namespace hakmem_test
