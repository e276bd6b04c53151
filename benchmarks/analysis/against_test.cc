// What became better and worse, and that results survive being written.
#include "benchmarks/analysis/against.h"

#include <cmath>
#include <utility>

#include "benchmarks/analysis/results_test_helper.h"
#include "benchmarks/harness/metrics.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

std::string Written(const Measurements& measurements) {
  return ResultText(MakeResult(MakeInfo(), Cells(measurements), nullptr));
}

FormerResult Former(const Measurements& measurements) {
  std::string error;
  const auto former = ReadFormerResult(Written(measurements), error);
  EXPECT_TRUE(former.has_value()) << error;
  return former.value_or(FormerResult());
}

Against Compare(const Measurements& former, const Measurements& now) {
  return CompareWith(Former(former), Cells(now));
}

std::vector<AgainstRow> RowsWith(const Against& against, Change change) {
  std::vector<AgainstRow> rows;
  for (const AgainstRow& row : against.rows) {
    if (row.change == change) rows.push_back(row);
  }
  return rows;
}

// As if the machine took `factor` of the time; each figure off by a little
// noise of its own.
Measurements OnAnotherDay(Measurements measurements, double factor) {
  int i = 0;
  for (Sample& sample : measurements.samples) {
    const double noise = 1 + 0.01 * ((i++ / 6 * 7) % 5 - 2);
    sample.values[kTime] *= factor * noise;
  }
  return measurements;
}

TEST(ReadFormerResult, ReadsWhatWasWritten) {
  Measurements results = MakeGoodAndBad();
  Forget(results, "map", kJemalloc);
  AddFailure(results, "map", kJemalloc, "took \"too\" long");
  const FormerResult former = Former(results);
  EXPECT_EQ(former.suite, "full");
  EXPECT_EQ(former.cpu, "A <fast> one");
  const Cells cells(results);
  const size_t map = CaseOf(results, "map");
  const Spread& read = former.spreads.at({"map", "segment", kTime});
  const Spread& written = *cells.Find(map, kSegment, kTime);
  EXPECT_DOUBLE_EQ(read.median, written.median);
  EXPECT_DOUBLE_EQ(read.interval.low, written.interval.low);
  EXPECT_DOUBLE_EQ(read.interval.high, written.interval.high);
  EXPECT_EQ(read.count, 6u);
  EXPECT_EQ(former.failures.count({"map", "jemalloc"}), 1u);
}

TEST(ReadFormerResult, RefusesWhatIsNoResult) {
  const std::string good = Written(MakeGoodAndBad());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::vector<std::string> all_bad = {
      "",
      "{}",
      "[]",
      "null",
      good.substr(0, good.size() / 2),
      changed("\"format\": 1", "\"format\": 2"),
      changed("\"effort\"", "\"effect\""),
      changed("\"cells\"", "\"cellars\""),
      changed("\"cells\": [", "\"cells\": [7,"),
      changed("\"machine\"", "\"engine\""),
      Written(MakeMeasurements())};
  for (const std::string& bad : all_bad) {
    std::string error;
    EXPECT_FALSE(ReadFormerResult(bad, error).has_value())
        << bad.substr(0, 100);
    EXPECT_NE(error, "");
    EXPECT_EQ(error.find('\n'), std::string::npos);
  }
}

TEST(CompareWith, TheSameRunHasNoChange) {
  const Measurements results = MakeGoodAndBad();
  const Against against = Compare(results, results);
  EXPECT_FALSE(against.any_worse());
  EXPECT_TRUE(RowsWith(against, Change::kBetter).empty());
  // Time and memory of two back-ends in all workloads, but for the times of two
  // that are not about it.
  EXPECT_EQ(against.rows.size(), 2 * (2 * results.cases.size() - 2));
  EXPECT_DOUBLE_EQ(against.drifts.at(kTime), 1);
  EXPECT_EQ(
      against.normalised_by,
      std::vector<std::string>({"floor", "glibc", "mimalloc", "jemalloc"}));
}

// The same binary twice, while the machine got 14 % faster.
TEST(CompareWith, AFasterMachineIsNoGainOfOurs) {
  const Measurements former = MakeGoodAndBad();
  for (const double factor : {0.86, 1.16}) {
    const Against against = Compare(former, OnAnotherDay(former, factor));
    EXPECT_NEAR(against.drifts.at(kTime), factor, 0.01);
    EXPECT_TRUE(RowsWith(against, Change::kBetter).empty());
    EXPECT_TRUE(RowsWith(against, Change::kWorse).empty());
    for (const AgainstRow& row : against.rows) {
      EXPECT_NEAR(row.ratio, 1, 0.05) << row.workload;
    }
  }
}

TEST(CompareWith, AChangeShowsOnAnotherMachineToo) {
  const Measurements former = MakeGoodAndBad();
  Measurements now = OnAnotherDay(former, 0.86);
  Forget(now, "map", kSegment);
  AddRuns(now, "map", kSegment, 79 * 0.86 * 1.2, 9);
  Forget(now, "drift", kSegment);
  AddRuns(now, "drift", kSegment, 79 * 0.86 * 0.8, 9);
  const Against against = Compare(former, now);
  const std::vector<AgainstRow> worse = RowsWith(against, Change::kWorse);
  ASSERT_EQ(worse.size(), 1u);
  EXPECT_EQ(worse[0].workload, "map");
  EXPECT_NEAR(worse[0].ratio, 1.2, 0.03);
  EXPECT_NEAR(worse[0].after, 79 * 0.86 * 1.2, 1);
  const std::vector<AgainstRow> better = RowsWith(against, Change::kBetter);
  ASSERT_EQ(better.size(), 1u);
  EXPECT_EQ(better[0].workload, "drift");
}

TEST(CompareWith, WhatPeersDifferByIsNoise) {
  const Measurements former = MakeGoodAndBad();
  Measurements now = former;
  // Peers went up or down by 10 %, each in its own way.
  int i = 0;
  for (Sample& sample : now.samples) {
    const int which = i++ / 6;
    if (sample.allocator == kSegment || sample.allocator == kSuperslab)
      continue;
    sample.values[kTime] *= which % 2 == 0 ? 1.1 : 1 / 1.1;
  }
  Forget(now, "map", kSegment);
  AddRuns(now, "map", kSegment, 79 * 1.12, 9);
  const Against against = Compare(former, now);
  EXPECT_GT(against.noise.at(kTime), 1.12);
  EXPECT_FALSE(against.any_worse());
}

TEST(CompareWith, NamesWhatIsBeyondTheNoise) {
  const Measurements former = MakeGoodAndBad();
  Measurements now = MakeGoodAndBad();
  const auto replace = [&](const char* workload, size_t who, double ns,
                           double peak) {
    Forget(now, workload, who);
    AddRuns(now, workload, who, ns, peak);
  };
  replace("map", kSegment, 79 * 1.2, 9);
  replace("redis", kSegment, 79 * 1.02, 9);   // too little
  replace("drift", kSegment, 79 * 0.9, 9.4);  // faster, and fatter
  replace("churn", kMimalloc, 1000, 10);      // of no concern
  replace("sqlite", kSuperslab, 1000, 11.2);
  Forget(now, "lua", kSuperslab);
  AddFailure(now, "lua", kSuperslab, "took too long");
  const Against against = Compare(former, now);
  const std::vector<AgainstRow> worse = RowsWith(against, Change::kWorse);
  ASSERT_EQ(worse.size(), 4u);
  EXPECT_TRUE(worse[0].fails);
  EXPECT_EQ(worse[0].workload, "lua");
  EXPECT_EQ(worse[1].workload, "sqlite");
  EXPECT_EQ(worse[2].workload, "map");
  EXPECT_NEAR(worse[2].ratio, 1.2, 0.02);
  EXPECT_EQ(worse[3].workload, "drift");
  EXPECT_EQ(worse[3].metric, kPeak);
  const std::vector<AgainstRow> better = RowsWith(against, Change::kBetter);
  ASSERT_EQ(better.size(), 1u);
  EXPECT_EQ(better[0].workload, "drift");
  // What fails in both is no regression.
  EXPECT_FALSE(Compare(now, now).any_worse());
}

TEST(CompareWith, OverlappingIntervalsAreNoise) {
  Measurements former = MakeMeasurements();
  Measurements now = MakeMeasurements();
  for (const double ns : {100.0, 101.0, 110.0}) {
    AddRun(former, "map", kSegment, ns, 1);
    AddRun(now, "map", kSegment, ns + 9, 1);
  }
  EXPECT_FALSE(Compare(former, now).any_worse());
  // One run says nothing of its noise: only a large change counts.
  Measurements one = MakeMeasurements();
  Measurements other = MakeMeasurements();
  AddRun(one, "map", kSegment, 100, 1);
  AddRun(other, "map", kSegment, 109, 1);
  EXPECT_FALSE(Compare(one, other).any_worse());
  EXPECT_TRUE(RowsWith(Compare(other, one), Change::kBetter).empty());
  Measurements slow = MakeMeasurements();
  AddRun(slow, "map", kSegment, 115, 1);
  EXPECT_EQ(RowsWith(Compare(one, slow), Change::kWorse).size(), 1u);
  // Nobody to normalise by.
  EXPECT_TRUE(Compare(one, slow).normalised_by.empty());
}

TEST(WhyNotComparable, WantsTheSameSuiteAndEffort) {
  const FormerResult former = Former(MakeGoodAndBad());
  EXPECT_EQ(WhyNotComparable(former, "full", 100), "");
  EXPECT_NE(WhyNotComparable(former, "quick", 100), "");
  EXPECT_NE(WhyNotComparable(former, "full", 50), "");
}

}  // namespace
}  // namespace hakmem::bench
