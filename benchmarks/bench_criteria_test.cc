#include "benchmarks/bench_criteria.h"

#include "benchmarks/bench_results_test_helper.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

std::vector<Criterion> Judge(const Results& results) {
  return JudgeBench(Standings(results)).criteria();
}

// The verdict on segment by the one criterion whose text contains `words`.
Verdict Find(const Results& results, const std::string& words) {
  for (const Criterion& criterion : Judge(results)) {
    if (Contains(criterion.asked, words)) return criterion.verdicts.at(0);
  }
  ADD_FAILURE() << "no criterion says: " << words;
  return {};
}

TEST(JudgeBench, TellsReachedFromNotReached) {
  const Results results = MakeGoodAndBad();
  const std::vector<Criterion> criteria = Judge(results);
  // Three of random-mixed, two means, two counts of workloads, three of
  // programs, idle, start, threads, asymmetric, and six of grown heaps.
  EXPECT_EQ(criteria.size(), 20u);
  for (const Criterion& criterion : criteria) {
    ASSERT_EQ(criterion.verdicts.size(), 2u);
    EXPECT_TRUE(criterion.verdicts[0].reached)
        << criterion.asked << ": " << VerdictText(criterion.verdicts[0], 3);
    EXPECT_FALSE(criterion.verdicts[1].reached)
        << criterion.asked << ": " << VerdictText(criterion.verdicts[1], 3);
    EXPECT_TRUE(criterion.verdicts[1].measured.has_value()) << criterion.asked;
  }
}

TEST(JudgeBench, MeasuresWhatItSays) {
  const Results results = MakeGoodAndBad();
  EXPECT_NEAR(*Find(results, "256 slots: cost").measured, 2.3 / 4, 1e-3);
  EXPECT_NEAR(*Find(results, "8192 slots: cost").measured, 3.8 / 7, 1e-3);
  EXPECT_NEAR(*Find(results, "throughput lost").measured, 11.8 / 10.3, 1e-3);
  EXPECT_NEAR(*Find(results, "large: time").measured, 0.79, 1e-9);
  EXPECT_NEAR(*Find(results, "of each peer").measured, 0.9, 1e-9);
  EXPECT_NEAR(*Find(results, "over glibc's, geometric").measured, 1, 1e-9);
  EXPECT_NEAR(*Find(results, "idle").measured, 400.0 / 1024, 1e-9);
  EXPECT_NEAR(*Find(results, "start-true").measured, 79.0 / 102, 1e-9);
  EXPECT_NEAR(*Find(results, "64 threads").measured, 1, 1e-9);
  EXPECT_NEAR(*Find(results, "grow-shuffled-ended").measured, 1.04, 1e-9);
}

TEST(JudgeBench, AFailureCountsAsSlowerAndFatter) {
  Results results = MakeGoodAndBad();
  for (const char* const workload : {"map", "redis"}) {
    const size_t a_case = CaseOf(results, workload);
    results.Forget(kSegment, a_case);
    results.SetFailure(kSegment, a_case, "took too long");
  }
  EXPECT_EQ(Find(results, "workloads slower").measured, 1);
  EXPECT_EQ(Find(results, "workloads with peak").measured, 1);
  EXPECT_EQ(Find(results, "programs slower").measured, 1);
  EXPECT_FALSE(Find(results, "programs slower").reached);
}

TEST(JudgeBench, IntervalsThatOverlapAreNotSlower) {
  Results results = MakeGoodAndBad();
  const size_t a_case = CaseOf(results, "map");
  results.Forget(kSegment, a_case);
  // Mimalloc takes 100 ns; the median is 120, and a run in three was fast.
  for (const double ns : {95.0, 96.0, 119.0, 121.0, 122.0, 123.0}) {
    results.Add(kSegment, a_case, MakeSample(ns));
  }
  EXPECT_EQ(Find(results, "workloads slower").measured, 0);
  for (int i = 0; i < 6; ++i) {
    results.Add(kSegment, a_case, MakeSample(121));
  }
  EXPECT_EQ(Find(results, "workloads slower").measured, 1);
}

TEST(JudgeBench, NothingIsReachedThatWasNotMeasured) {
  Results results = MakeBenchResults();
  for (size_t c = 0; c < results.cases().size(); ++c) {
    results.Add(kMimalloc, c, MakeSample(100));
  }
  for (const Criterion& criterion : Judge(results)) {
    EXPECT_EQ(VerdictText(criterion.verdicts.at(0), 2), "-") << criterion.asked;
    EXPECT_FALSE(criterion.verdicts[0].reached) << criterion.asked;
  }
}

TEST(JudgeBench, AsksNothingOfWhatCannotBeRun) {
  Results results = MakeGoodAndBad();
  results.SetAbsent(CaseOf(results, "idle"), "no /proc here");
  results.SetAbsent(CaseOf(results, "grow-in-order-same"), "too little memory");
  EXPECT_EQ(Judge(results).size(), 18u);
  const Results part({{"segment", Contender::kVariant, "", ""}},
                     {{0, 1, "map"}}, 2);
  EXPECT_TRUE(Judge(part).empty());
}

}  // namespace
}  // namespace hakmem::bench
