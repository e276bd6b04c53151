#include "backend/memory/huge_page_trials.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace hakmem {
namespace {

constexpr uint64_t kQuick = 100'000;
constexpr uint64_t kSlow = 4'000'000;

// How many chunks get small pages before the next one may have huge pages.
uint32_t SmallChunks(HugePageTrials& trials) {
  uint32_t count = 0;
  while (!trials.Allow()) ++count;
  return count;
}

TEST(HugePageTrialsTest, OneInEightIsTimed) {
  HugePageTrials trials;
  for (int i = 0; i < 33; ++i) {
    EXPECT_TRUE(trials.Allow());
    const bool begins = trials.BeginsTrial();
    EXPECT_EQ(begins, i % 8 == 0) << i;
    if (begins) trials.End(kQuick);
  }
}

TEST(HugePageTrialsTest, PatienceDoublesWhileTheyAreSlow) {
  HugePageTrials trials;
  for (uint32_t patience = 32; patience <= 4096; patience *= 2) {
    ASSERT_TRUE(trials.BeginsTrial()) << patience;
    trials.End(kSlow);
    EXPECT_EQ(SmallChunks(trials), patience);
  }
  ASSERT_TRUE(trials.BeginsTrial());
  trials.End(kSlow);
  EXPECT_EQ(SmallChunks(trials), 4096u);
}

TEST(HugePageTrialsTest, TwoQuickOnesInARowResetIt) {
  HugePageTrials trials;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(trials.BeginsTrial());
    trials.End(kSlow);
    SmallChunks(trials);
  }
  ASSERT_TRUE(trials.BeginsTrial());
  trials.End(kQuick);
  ASSERT_TRUE(trials.BeginsTrial())
      << "the one after a slow one and a quick one";
  trials.End(kSlow);
  EXPECT_EQ(SmallChunks(trials), 256u) << "one quick trial changes nothing";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(trials.BeginsTrial());
    trials.End(kQuick);
  }
  EXPECT_EQ(SmallChunks(trials), 0u);
  while (!trials.BeginsTrial()) {
  }
  trials.End(kSlow);
  EXPECT_EQ(SmallChunks(trials), 32u);
}

}  // namespace
}  // namespace hakmem
