#include "benchmarks/analysis/headline.h"

#include "benchmarks/analysis/results_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

std::optional<Headline> HeadlineOf(const Measurements& measurements) {
  const Cells cells(measurements);
  return MakeHeadline(Ranking(cells));
}

// Of segment in one workload, beside glibc (100 ns, 10 MiB) and mimalloc (80
// ns, 20 MiB).
std::string Sentence(double ns, double peak_mib) {
  Measurements results = MakeMeasurements();
  AddRuns(results, "map", kGlibc, 100, 10);
  AddRuns(results, "map", kMimalloc, 80, 20);
  AddRuns(results, "map", kSegment, ns, peak_mib);
  return HeadlineOf(results)->sentence;
}

TEST(MakeHeadline, AnswersInPlainWords) {
  EXPECT_EQ(Sentence(60, 10),
            "Yes: HAKMEM segment takes 25 % less time and 50 % less memory "
            "compared with mimalloc, the fastest of the other allocators here, "
            "over 1 workload; 40 % less time and about as much memory compared "
            "with glibc.");
  EXPECT_EQ(Sentence(60, 25).find("For speed, yes: "), 0u);
  EXPECT_EQ(Sentence(80, 10).find("For memory, yes: "), 0u);
  EXPECT_EQ(Sentence(80, 20).find("It hardly matters: "), 0u);
  EXPECT_EQ(Sentence(90, 10).find("For memory only: "), 0u);
  EXPECT_EQ(Sentence(200, 50).find("No: HAKMEM segment takes 2.5 times the "
                                   "time and 2.5 times the memory"),
            0u);
}

TEST(MakeHeadline, IsOfTheFasterBackEndAndShowsEverybody) {
  const std::optional<Headline> headline = HeadlineOf(MakeGoodAndBad());
  ASSERT_TRUE(headline.has_value());
  EXPECT_EQ(headline->allocator, kSegment);
  EXPECT_EQ(headline->versus, kMimalloc);
  EXPECT_LT(*headline->standing.time, 0.9);
  ASSERT_EQ(headline->bars.size(), 5u);  // all but the floor
  EXPECT_EQ(headline->bars[0].allocator, kSegment);
  EXPECT_DOUBLE_EQ(*headline->bars[3].time, 1);
}

TEST(MakeHeadline, SaysNothingWithoutACounterpart) {
  EXPECT_FALSE(HeadlineOf(MakeMeasurements()).has_value());
  Measurements alone = MakeMeasurements();
  AddRuns(alone, "map", kSegment, 60, 10);
  EXPECT_FALSE(HeadlineOf(alone).has_value());
  Measurements others = MakeMeasurements();
  AddRuns(others, "map", kGlibc, 60, 10);
  EXPECT_FALSE(HeadlineOf(others).has_value());
}

}  // namespace
}  // namespace hakmem::bench
