#include "benchmarks/analysis/criteria.h"

#include <algorithm>
#include <vector>

#include "benchmarks/analysis/results_test_helper.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/metrics.h"
#include "benchmarks/harness/suites.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

std::vector<Judged> JudgeAll(const Measurements& measurements,
                             const std::string& suite = "full") {
  const Cells cells(measurements);
  return Judge(CriteriaOf(suite, measurements.cases), Ranking(cells));
}

// The verdict on segment by the one criterion of that scope whose title
// contains `words`.
Verdict Find(const std::vector<Judged>& all, const std::string& scope,
             const std::string& words) {
  for (const Judged& judged : all) {
    if (judged.criterion.scope == scope &&
        judged.criterion.title.find(words) != std::string::npos) {
      return judged.verdicts.at(0);
    }
  }
  ADD_FAILURE() << "no criterion of " << scope << " says: " << words;
  return {};
}

std::string Name(const Judged& judged) {
  return judged.criterion.scope + ": " + judged.criterion.title;
}

TEST(Judge, TellsMetFromNotMet) {
  const std::vector<Judged> all = JudgeAll(MakeGoodAndBad());
  // Three of random-mixed, the mid mix, two means, two counts of workloads,
  // three of programs, idle, start, threads, asymmetric, six of grown heaps,
  // idle threads and the longest call.
  EXPECT_EQ(all.size(), 23u);
  for (const Judged& judged : all) {
    ASSERT_EQ(judged.verdicts.size(), 2u);
    EXPECT_TRUE(judged.verdicts[0].met) << Name(judged);
    EXPECT_FALSE(judged.verdicts[1].met) << Name(judged);
    EXPECT_TRUE(judged.verdicts[1].value.has_value()) << Name(judged);
  }
}

TEST(Judge, MeasuresWhatItSays) {
  const std::vector<Judged> all = JudgeAll(MakeGoodAndBad());
  EXPECT_NEAR(*Find(all, "random-mixed-256", "above the floor").value, 2.3 / 4,
              1e-3);
  EXPECT_NEAR(*Find(all, "random-mixed-8192", "above the floor").value, 3.8 / 7,
              1e-3);
  EXPECT_NEAR(
      *Find(all, "random-mixed-256, random-mixed-8192", "over 256").value,
      11.8 / 10.3, 1e-3);
  EXPECT_NEAR(*Find(all, "large", "time over").value, 0.79, 1e-9);
  EXPECT_NEAR(*Find(all, "programs", "over each peer").value, 0.9, 1e-9);
  EXPECT_NEAR(*Find(all, "programs", "over glibc's").value, 1, 1e-9);
  EXPECT_NEAR(*Find(all, "idle", "resident").value, 400.0 * 1024, 1e-3);
  EXPECT_NEAR(*Find(all, "start-true", "glibc").value, 79.0 / 102, 1e-9);
  EXPECT_NEAR(
      *Find(all, "random-mixed-1-thread, random-mixed-64-threads", "").value, 1,
      1e-9);
  EXPECT_NEAR(*Find(all, "grow-shuffled-ended", "resident").value, 1.04, 1e-9);
}

TEST(Judge, AFailureCountsAsSlowerAndFatter) {
  Measurements results = MakeGoodAndBad();
  for (const char* const workload : {"map", "redis"}) {
    Forget(results, workload, kSegment);
    AddFailure(results, workload, kSegment, "took too long");
  }
  const std::vector<Judged> all = JudgeAll(results);
  EXPECT_EQ(Find(all, "all but programs", "slower").value, 1);
  EXPECT_EQ(Find(all, "all but programs", "peak").value, 1);
  EXPECT_EQ(Find(all, "programs", "slower").value, 1);
  EXPECT_FALSE(Find(all, "programs", "slower").met);
}

TEST(Judge, IntervalsThatOverlapAreNotSlower) {
  Measurements results = MakeGoodAndBad();
  Forget(results, "map", kSegment);
  // Mimalloc takes 100 ns; the median is 120, and a run in three was fast.
  for (const double ns : {95.0, 96.0, 119.0, 121.0, 122.0, 123.0}) {
    AddRun(results, "map", kSegment, ns, 9);
  }
  EXPECT_EQ(Find(JudgeAll(results), "all but programs", "slower").value, 0);
  for (int i = 0; i < 6; ++i) AddRun(results, "map", kSegment, 121, 9);
  EXPECT_EQ(Find(JudgeAll(results), "all but programs", "slower").value, 1);
}

TEST(Judge, NothingIsMetThatWasNotMeasured) {
  for (const char* const suite : {"full", "ace"}) {
    Measurements results = MakeMeasurements();
    for (const Case& a_case : results.cases) {
      AddRun(results, a_case.key, kMimalloc, 100, 20);
    }
    for (const Judged& judged : JudgeAll(results, suite)) {
      EXPECT_FALSE(judged.verdicts.at(0).value.has_value()) << Name(judged);
      EXPECT_FALSE(judged.verdicts[0].met) << Name(judged);
    }
  }
}

TEST(Judge, AsksNothingOfWhatCannotBeRun) {
  Measurements results = MakeGoodAndBad();
  results.absences.resize(results.cases.size());
  for (const char* const workload : {"idle", "grow-in-order-same"}) {
    results.absences[CaseOf(results, workload)] = "no /proc here";
    for (size_t who = 0; who < 6; ++who) Forget(results, workload, who);
  }
  EXPECT_EQ(JudgeAll(results).size(), 21u);
  // Nor without one of HAKMEM's back-ends.
  Measurements others = MakeMeasurements();
  for (Allocator& allocator : others.allocators) {
    allocator.role = Allocator::kPeer;
  }
  EXPECT_TRUE(JudgeAll(others).empty());
}

// The suite ace: segment, and the same with its pool fixed in place of
// superslab.
class AceCriteria : public testing::Test {
 protected:
  AceCriteria() : results_(MakeMeasurements()) {
    results_.allocators[kSuperslab].back_end = "segment";
    results_.allocators[kSuperslab].ace = "fixed";
    std::erase_if(results_.cases, [](const Case& a_case) {
      const std::vector<const char*>& own = FindSuite("ace")->workloads;
      return std::none_of(own.begin(), own.end(),
                          [&](const char* key) { return a_case.key == key; });
    });
    for (const Case& a_case : results_.cases) {
      for (const double noise : {0.0, 0.5, 1.0}) {
        AddRun(results_, a_case.key, kGlibc, 900 + noise, 5);
        AddRun(results_, a_case.key, kMimalloc, 100 + noise, 20);
        AddRun(results_, a_case.key, kJemalloc, 120 + noise, 10);
        AddRun(results_, a_case.key, kSuperslab, 100 + noise, 11);
      }
    }
  }

  // All figures that any workload has, `scale` times what is allowed.
  void AddSegment(double scale, double ns, double peak) {
    for (const Case& a_case : results_.cases) {
      for (const double noise : {0.0, 0.5, 1.0}) {
        AddRun(results_, a_case.key, kSegment, ns + noise, peak,
               {{"internal_waste", 0.0799 * scale},
                {"resident_over_allowed", scale}});
      }
    }
  }

  Measurements results_;
};

TEST_F(AceCriteria, SeeWhatIsMet) {
  AddSegment(1, 98, 10.4);
  const std::vector<Judged> all = JudgeAll(results_, "ace");
  // Two per workload, and five of some.
  EXPECT_EQ(all.size(), 6u * 2 + 5);
  for (const Judged& judged : all) {
    ASSERT_EQ(judged.verdicts.size(), 1u);
    EXPECT_TRUE(judged.verdicts[0].met)
        << Name(judged) << ": " << judged.verdicts[0].value.value_or(-1);
  }
  // The peak is held against that of the third fastest, not against libc's,
  // which is slow.
  EXPECT_NEAR(*Find(all, "steady-64", "lowest").value, 1.04, 1e-9);
}

TEST_F(AceCriteria, SeeWhatIsNot) {
  AddSegment(1.01, 103, 11.2);
  for (const Judged& judged : JudgeAll(results_, "ace")) {
    EXPECT_TRUE(judged.verdicts.at(0).value.has_value()) << Name(judged);
    EXPECT_FALSE(judged.verdicts[0].met) << Name(judged);
  }
}

TEST_F(AceCriteria, OneGainDoesNotPayForALoss) {
  for (int i = 0; i < 3; ++i) AddRun(results_, "phase-shift", kSegment, 50, 12);
  const std::vector<Judged> all = JudgeAll(results_, "ace");
  EXPECT_TRUE(Find(all, "phase-shift", "time or peak").met);
  const Verdict worse = Find(all, "phase-shift", "clearly worse");
  EXPECT_EQ(worse.value, 1);
  EXPECT_FALSE(worse.met);
}

TEST_F(AceCriteria, IntervalsThatOverlapAreNotWorse) {
  // Fixed takes 100 to 101 ns.
  for (const double ns : {100.0, 101.0, 108.0, 109.0}) {
    AddRun(results_, "phase-shift", kSegment, ns, 10);
  }
  EXPECT_EQ(
      Find(JudgeAll(results_, "ace"), "phase-shift", "clearly worse").value, 0);
}

// The suite default: segment meets everything, superslab nothing.
TEST(GridCriteria, TellMetFromNotMet) {
  Measurements results = MakeMeasurements();
  results.cases = {GridCase(256, 1, 1), GridCase(8192, 1, 1)};
  for (const std::string workload : {"random-mixed-256", "random-mixed-8192"}) {
    const bool is_few = workload == "random-mixed-256";
    AddRun(results, workload, kFloor, 8, 1);
    AddRun(results, workload, kGlibc, is_few ? 13 : 20, 1);
    AddRun(results, workload, kMimalloc, 11, 1);
    AddRun(results, workload, kSegment, 10, 1,
           {{"chunks", 1}, {"fragmentation", 0.1}, {"libc_malloc", 0}});
    AddRun(results, workload, kSuperslab, is_few ? 12 : 16, 1,
           {{"chunks", 10}, {"fragmentation", 0.21}, {"libc_malloc", 4096}});
  }
  const std::vector<Judged> all = JudgeAll(results, "default");
  EXPECT_EQ(all.size(), 8u);
  for (const Judged& judged : all) {
    EXPECT_TRUE(judged.verdicts[0].met) << Name(judged);
    EXPECT_FALSE(judged.verdicts[1].met) << Name(judged);
  }
  EXPECT_DOUBLE_EQ(*Find(all, "random-mixed-256", "above the floor").value,
                   2.0 / 3);
  EXPECT_DOUBLE_EQ(*Find(all, "random-mixed-8192", "throughput").value, 2);
}

TEST(CriteriaOf, AsksForEachNumberOfThreads) {
  const std::vector<Case> one = {GridCase(256, 1, 1), GridCase(8192, 1, 1)};
  std::vector<Case> two = one;
  two.push_back(GridCase(256, 2, 1));
  two.push_back(GridCase(8192, 2, 1));
  EXPECT_EQ(CriteriaOf("default", two).size(),
            2 * CriteriaOf("default", one).size());
  EXPECT_TRUE(CriteriaOf("full", {}).empty());
  for (const Criterion& criterion : CriteriaOf("default", two)) {
    for (const std::string& metric : criterion.metrics) {
      EXPECT_NE(FindMetric(metric), nullptr) << metric;
    }
  }
}

}  // namespace
}  // namespace hakmem::bench
