#include "benchmarks/analysis/ranking.h"

#include "benchmarks/analysis/results_test_helper.h"
#include "benchmarks/harness/metrics.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(Ranking, MeansAreOverTheBestSinglePeer) {
  Measurements results = MakeMeasurements();
  // Mimalloc is the fastest in neither, and the best of the two taken together.
  AddRuns(results, "map", kGlibc, 100, 10);
  AddRuns(results, "map", kMimalloc, 120, 20);
  AddRuns(results, "map", kJemalloc, 400, 5);
  AddRuns(results, "map", kSegment, 60, 40);
  AddRuns(results, "batch-reversed", kGlibc, 400, 10);
  AddRuns(results, "batch-reversed", kMimalloc, 120, 20);
  AddRuns(results, "batch-reversed", kJemalloc, 100, 5);
  AddRuns(results, "batch-reversed", kSegment, 240, 10);
  const Cells cells(results);
  const Ranking ranking(cells);
  const std::vector<size_t> cases = ranking.CasesOf({kSmall});
  EXPECT_EQ(cases.size(), 2u);
  EXPECT_EQ(ranking.BestSinglePeer(cases), kMimalloc);
  // 1/2 and 2; 2 and 1/2; 8 and 2 times the leanest, which is not glibc.
  EXPECT_NEAR(*ranking.Mean(cases, kTime, kSegment, kMimalloc), 1, 1e-9);
  EXPECT_NEAR(*ranking.Mean(cases, kPeak, kSegment, kMimalloc), 1, 1e-9);
  EXPECT_NEAR(*ranking.MeanOverLeanest(cases, kSegment), 4, 1e-9);
  EXPECT_FALSE(ranking.Mean(cases, kTime, kSuperslab, kMimalloc).has_value());
  EXPECT_FALSE(ranking.BestSinglePeer(ranking.CasesOf({kLarge})).has_value());
}

TEST(Ranking, AGoodRunInOneWorkloadMakesNoBestPeer) {
  Measurements results = MakeMeasurements();
  for (const char* const workload : {"map", "batch-reversed"}) {
    AddRuns(results, workload, kGlibc, 200, 10);
  }
  AddRuns(results, "map", kMimalloc, 100, 10);
  const Cells cells(results);
  const Ranking ranking(cells);
  EXPECT_EQ(ranking.BestSinglePeer(ranking.CasesOf({})), kGlibc);
}

TEST(Ranking, WhereTimeSaysNothingOnlyMemoryCounts) {
  Measurements results = MakeMeasurements();
  AddRuns(results, "idle", kMimalloc, 100, 1);
  AddRuns(results, "idle", kSegment, 900, 2);
  const Cells cells(results);
  const Ranking ranking(cells);
  EXPECT_FALSE(ranking.FastestPeer(CaseOf(results, "idle")).has_value());
  EXPECT_TRUE(ranking.BehindIn(kTime, kSegment).empty());
  ASSERT_EQ(ranking.BehindIn(kPeak, kSegment).size(), 1u);
  EXPECT_NEAR(ranking.BehindIn(kPeak, kSegment)[0].ratio, 2, 1e-9);
}

TEST(Ranking, ListsWhereSomebodyIsBehindTheWorstFirst) {
  Measurements results = MakeMeasurements();
  const auto add = [&](const char* workload, double ns, double peak) {
    AddRuns(results, workload, kGlibc, 100, 1);
    AddRuns(results, workload, kMimalloc, 120, 10);
    AddRuns(results, workload, kSegment, ns, peak);
  };
  add("map", 101, 10.02);  // hardly behind, and as lean
  add("redis", 150, 9);
  add("drift", 99, 30);
  add("churn", 200, 12);
  // Within the noise of the fastest.
  for (const double ns : {140, 90, 90, 90, 90, 90, 90, 140}) {
    AddRun(results, "map", kSegment, ns, 10);
  }
  const Cells cells(results);
  const Ranking ranking(cells);
  const std::vector<Behind> behind = ranking.BehindIn(kTime, kSegment);
  ASSERT_EQ(behind.size(), 3u);
  EXPECT_EQ(behind[0].a_case, CaseOf(results, "churn"));
  EXPECT_EQ(behind[0].first, kGlibc);
  EXPECT_NEAR(behind[0].ratio, 2, 1e-9);
  EXPECT_TRUE(behind[0].beyond_noise);
  EXPECT_EQ(behind[1].a_case, CaseOf(results, "redis"));
  EXPECT_EQ(behind[2].a_case, CaseOf(results, "map"));
  EXPECT_FALSE(behind[2].beyond_noise);
  const std::vector<Behind> fat = ranking.BehindIn(kPeak, kSegment);
  ASSERT_EQ(fat.size(), 2u);
  EXPECT_EQ(fat[0].a_case, CaseOf(results, "drift"));
  EXPECT_EQ(fat[0].first, kMimalloc);
  EXPECT_EQ(fat[1].a_case, CaseOf(results, "churn"));
}

TEST(Ranking, SetsAgainstTheFloor) {
  Measurements results = MakeMeasurements();
  for (const double ns : {7.0, 8.0, 30.0}) {
    AddRun(results, "random-mixed-256", kFloor, ns, 1);
  }
  AddRun(results, "random-mixed-256", kSegment, 10, 1);
  AddRun(results, "random-mixed-256", kMimalloc, 12, 1);
  const Cells cells(results);
  const Ranking ranking(cells);
  const size_t a_case = CaseOf(results, "random-mixed-256");
  EXPECT_DOUBLE_EQ(*ranking.AboveFloor(a_case, kSegment), 2);
  EXPECT_FALSE(ranking.AboveFloor(a_case, kFloor).has_value());
  EXPECT_FALSE(ranking.AboveFloor(a_case, kSuperslab).has_value());
  // The floor is no allocator that one could use.
  EXPECT_EQ(ranking.FastestPeer(a_case), kMimalloc);
  EXPECT_EQ(ranking.LeanestPeer(a_case), kMimalloc);
}

TEST(Ranking, AnAllocatorIsAmongItsThreeFastest) {
  Measurements results = MakeMeasurements();
  AddRuns(results, "steady-64", kGlibc, 900, 5);  // slow and lean
  AddRuns(results, "steady-64", kMimalloc, 100, 20);
  AddRuns(results, "steady-64", kJemalloc, 120, 10);
  AddRuns(results, "steady-64", kSegment, 90, 8);
  AddRuns(results, "steady-64", kSuperslab, 100, 11);
  const Cells cells(results);
  const Ranking ranking(cells);
  const size_t steady = CaseOf(results, "steady-64");
  EXPECT_DOUBLE_EQ(*ranking.PeakOverLeanestOfFastest(steady, kSegment), 1);
  // HAKMEM is nobody's measure, so glibc is the third fastest.
  EXPECT_DOUBLE_EQ(*ranking.PeakOverLeanestOfFastest(steady, kMimalloc), 4);
  // Of superslab the third fastest is jemalloc.
  EXPECT_NEAR(*ranking.PeakOverLeanestOfFastest(steady, kSuperslab), 1.1, 1e-9);
  EXPECT_FALSE(ranking.PeakOverLeanestOfFastest(steady, kFloor).has_value());
}

}  // namespace
}  // namespace hakmem::bench
