#include "benchmarks/analysis/standings.h"

#include "benchmarks/bench_results_test_helper.h"
#include "benchmarks/harness/bench_cases.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(Standings, MeansAreOverTheBestSinglePeer) {
  Results results = MakeBenchResults();
  // Mimalloc is the fastest in neither, and the best of the two taken together.
  AddRuns(results, "map", kGlibc, 100, 10);
  AddRuns(results, "map", kMimalloc, 120, 20);
  AddRuns(results, "map", kJemalloc, 400, 5);
  AddRuns(results, "map", kSegment, 60, 40);
  AddRuns(results, "batch-reversed", kGlibc, 400, 10);
  AddRuns(results, "batch-reversed", kMimalloc, 120, 20);
  AddRuns(results, "batch-reversed", kJemalloc, 100, 5);
  AddRuns(results, "batch-reversed", kSegment, 240, 10);
  const Standings standings(results);
  const std::vector<size_t> cases = standings.CasesOf({kSmall});
  EXPECT_EQ(cases.size(), 2u);
  EXPECT_EQ(standings.BestSinglePeer(cases), kMimalloc);
  // 1/2 and 2; 2 and 1/2; 8 and 2 times the leanest, which is not glibc.
  EXPECT_NEAR(*standings.MeanTimeRatio(cases, kSegment, kMimalloc), 1, 1e-9);
  EXPECT_NEAR(*standings.MeanPeakRatio(cases, kSegment, kMimalloc), 1, 1e-9);
  EXPECT_NEAR(*standings.MeanPeakOverLeanest(cases, kSegment), 4, 1e-9);
  EXPECT_FALSE(
      standings.MeanTimeRatio(cases, kSuperslab, kMimalloc).has_value());
  EXPECT_FALSE(
      standings.BestSinglePeer(standings.CasesOf({kLarge})).has_value());
}

TEST(Standings, AGoodRunInOneWorkloadMakesNoBestPeer) {
  Results results = MakeBenchResults();
  for (const char* const workload : {"map", "batch-reversed"}) {
    AddRuns(results, workload, kGlibc, 200, 10);
  }
  AddRuns(results, "map", kMimalloc, 100, 10);
  const Standings standings(results);
  EXPECT_EQ(standings.BestSinglePeer(standings.CasesOf({})), kGlibc);
}

TEST(Standings, WhereTimeSaysNothingOnlyMemoryCounts) {
  Results results = MakeBenchResults();
  AddRuns(results, "idle", kMimalloc, 100, 1);
  AddRuns(results, "idle", kSegment, 900, 2);
  const Standings standings(results);
  EXPECT_FALSE(standings.FastestPeer(CaseOf(results, "idle")).has_value());
  EXPECT_TRUE(standings.BehindInTime(kSegment).empty());
  ASSERT_EQ(standings.BehindInMemory(kSegment).size(), 1u);
  EXPECT_NEAR(standings.BehindInMemory(kSegment)[0].ratio, 2, 1e-9);
}

TEST(Standings, ListsWhereSomebodyIsBehindTheWorstFirst) {
  Results results = MakeBenchResults();
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
  Sample slow = MakeSample(140);
  slow.peak_rss_kib = 10240;
  results.Add(kSegment, CaseOf(results, "map"), slow);
  for (int i = 0; i < 6; ++i) {
    Sample fast = MakeSample(90);
    fast.peak_rss_kib = 10240;
    results.Add(kSegment, CaseOf(results, "map"), fast);
  }
  results.Add(kSegment, CaseOf(results, "map"), slow);
  const Standings standings(results);
  const std::vector<Behind> behind = standings.BehindInTime(kSegment);
  ASSERT_EQ(behind.size(), 3u);
  EXPECT_EQ(behind[0].a_case, CaseOf(results, "churn"));
  EXPECT_EQ(behind[0].first, kGlibc);
  EXPECT_NEAR(behind[0].ratio, 2, 1e-9);
  EXPECT_TRUE(behind[0].is_clear);
  EXPECT_EQ(behind[1].a_case, CaseOf(results, "redis"));
  EXPECT_EQ(behind[2].a_case, CaseOf(results, "map"));
  EXPECT_FALSE(behind[2].is_clear);
  const std::vector<Behind> fat = standings.BehindInMemory(kSegment);
  ASSERT_EQ(fat.size(), 2u);
  EXPECT_EQ(fat[0].a_case, CaseOf(results, "drift"));
  EXPECT_EQ(fat[0].first, kMimalloc);
  EXPECT_EQ(fat[1].a_case, CaseOf(results, "churn"));
}

}  // namespace
}  // namespace hakmem::bench
