#include "tools/soak/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hakmem::soak {
namespace {

using ::testing::HasSubstr;

SoakFlags AnHour() {
  SoakFlags flags;
  flags.minutes = 60;
  return flags;
}

TEST(PlanTest, ARoundIsTheSameAgain) {
  for (uint64_t number = 0; number < 50; ++number) {
    const Round first = PlanRound(AnHour(), 7, number);
    const Round again = PlanRound(AnHour(), 7, number);
    EXPECT_EQ(first.library, again.library);
    EXPECT_EQ(first.seed, again.seed);
    EXPECT_EQ(first.threads, again.threads);
    EXPECT_EQ(first.length, again.length);
    EXPECT_EQ(first.options, again.options);
    EXPECT_NE(first.seed, PlanRound(AnHour(), 8, number).seed);
  }
}

TEST(PlanTest, EveryVariantAndEveryOptionHasItsTurn) {
  std::set<std::string> libraries;
  std::set<std::string> options;
  for (uint64_t number = 0; number < 500; ++number) {
    const Round round = PlanRound(AnHour(), 1, number);
    libraries.insert(round.library);
    options.insert(round.options.begin(), round.options.end());
    EXPECT_GE(round.length, std::chrono::seconds(10));
    EXPECT_LE(round.length, std::chrono::seconds(60));
    EXPECT_GE(round.threads, 1u);
    EXPECT_LE(round.threads, 8u);
    EXPECT_THAT(round.library,
                HasSubstr(number % 2 == 0 ? "-segment" : "-superslab"));
  }
  EXPECT_EQ(libraries.size(), 12u);
  EXPECT_THAT(options, testing::IsSupersetOf(
                           {"HAKMEM_DECAY=0", "HAKMEM_HUGE_PAGES=2",
                            "HAKMEM_SUPERSLAB_BYTES=512K", "HAKMEM_EVENTS=1",
                            "HAKMEM_ACE_LIMIT_MB=1", "HAKMEM_BIN_BYTES=0"}));
}

TEST(PlanTest, ShortSoaksStillComeRound) {
  SoakFlags flags;
  flags.minutes = 1;
  for (uint64_t number = 0; number < 12; ++number) {
    EXPECT_LE(PlanRound(flags, 1, number).length, std::chrono::seconds(5));
  }
}

TEST(PlanTest, TheRepeatingFlagsPlanTheSameRound) {
  SoakFlags flags;
  flags.minutes = 2.5;
  flags.backends = {"superslab"};
  flags.aces = {"off", "fixed"};
  flags.threads = 3;
  const std::string text = RepeatingFlags(flags, 11, 4);
  std::vector<std::string> arguments;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto parsed = ParseSoakFlags(arguments);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->round, 4u);
  const Round round = PlanRound(flags, 11, 4);
  const Round again = PlanRound(*parsed, *parsed->seed, 4);
  EXPECT_EQ(round.library, again.library);
  EXPECT_EQ(round.seed, again.seed);
  EXPECT_EQ(round.length, again.length);
  EXPECT_EQ(round.options, again.options);
}

}  // namespace
}  // namespace hakmem::soak
