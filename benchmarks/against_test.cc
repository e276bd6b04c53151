// What became worse and better, and that results survive being written.
#include "benchmarks/against.h"

#include <algorithm>

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/bench_criteria.h"
#include "benchmarks/bench_results_test_helper.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

RunInfo MakeInfo() {
  return {"full",
          "compare --suite=full",
          {{"cpu", "fast"}, {"cores", "2"}},
          {"tcmalloc: not installed"},
          100};
}

std::string Written(const Results& results) {
  return BenchJson(results, JudgeBench(Standings(results)), MakeInfo());
}

TEST(BenchJson, IsReadAsItWasWritten) {
  Results results = MakeGoodAndBad();
  results.Forget(kJemalloc, CaseOf(results, "map"));
  results.SetFailure(kJemalloc, CaseOf(results, "map"), "took \"too\" long");
  results.SetAbsent(CaseOf(results, "zstd"), "no zstd");
  const auto read = ReadBenchJson(Written(results));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->info.suite, "full");
  EXPECT_EQ(read->info.machine, MakeInfo().machine);
  ASSERT_EQ(read->results.cases().size(), results.cases().size());
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      const auto then = results.Summarize(who, c);
      const auto now = read->results.Summarize(who, c);
      ASSERT_EQ(then.has_value(), now.has_value());
      EXPECT_EQ(results.failure(who, c), read->results.failure(who, c));
      if (!then.has_value()) continue;
      EXPECT_DOUBLE_EQ(then->ns.median, now->ns.median);
      EXPECT_DOUBLE_EQ(then->peak_rss_kib.median, now->peak_rss_kib.median);
      EXPECT_EQ(then->resident_after_kib, now->resident_after_kib);
      EXPECT_EQ(results.samples(who, c)[0].series,
                read->results.samples(who, c)[0].series);
    }
  }
  EXPECT_EQ(read->results.absence(CaseOf(results, "zstd")), "no zstd");
  // And so to the same verdicts.
  EXPECT_EQ(Written(read->results), Written(results));
}

TEST(BenchJson, IsSmallEnoughToBeKept) {
  const std::string text = Written(MakeGoodAndBad());
  // Some 60 workloads, 5 contenders, 6 runs: below 200 bytes a run, a line for
  // each contender in each workload and few beside.
  EXPECT_LT(text.size(), 60u * 5 * 6 * 200);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 60 * 5 * 4);
}

TEST(ReadBenchJson, RefusesWhatIsNoResult) {
  const std::string good = Written(MakeGoodAndBad());
  EXPECT_TRUE(ReadBenchJson(good).ok());
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
      changed("\"effort\"", "\"effect\""),
      changed("\"cases\"", "\"caves\""),
      changed("\"allocators\"", "\"locators\""),
      changed("\"operations\": 1000000", "\"operations\": 0"),
      changed("\"cpu_ns\"", "\"cpu_ms\""),
      changed("\"allocator\": \"segment\"", "\"allocator\": \"nobody\""),
      changed("\"kind\": \"variant\"", "\"kind\": \"stranger\"")};
  for (const std::string& bad : all_bad) {
    const auto read = ReadBenchJson(bad);
    EXPECT_FALSE(read.ok()) << bad.substr(0, 100);
    EXPECT_FALSE(Contains(std::string(read.status().message()), "\n"));
  }
}

TEST(ChangesSince, TheSameRunHasNone) {
  const Results results = MakeGoodAndBad();
  const Changes changes = ChangesSince(results, results);
  EXPECT_TRUE(changes.worse.empty());
  EXPECT_TRUE(changes.better.empty());
  // Time and memory of two back-ends in all workloads; idle has no time.
  EXPECT_EQ(changes.compared, 2 * (2 * results.cases().size() - 1));
}

TEST(ChangesSince, NamesWhatIsBeyondTheNoise) {
  const Results former = MakeGoodAndBad();
  Results now = MakeGoodAndBad();
  const auto replace = [&](const char* workload, size_t who, double ns,
                           double peak) {
    now.Forget(who, CaseOf(now, workload));
    AddRuns(now, workload, who, ns, peak);
  };
  replace("map", kSegment, 79 * 1.2, 9);
  replace("redis", kSegment, 79 * 1.02, 9);   // too little
  replace("drift", kSegment, 79 * 0.9, 9.4);  // faster, and fatter
  replace("churn", kMimalloc, 1000, 10);      // of no concern
  replace("sqlite", kSuperslab, 1000, 11.2);
  now.Forget(kSuperslab, CaseOf(now, "lua"));
  now.SetFailure(kSuperslab, CaseOf(now, "lua"), "took too long");
  const Changes changes = ChangesSince(former, now);
  ASSERT_EQ(changes.worse.size(), 4u);
  EXPECT_EQ(changes.worse[0].what, "fails");
  EXPECT_EQ(changes.worse[0].workload, "lua");
  EXPECT_EQ(changes.worse[1].workload, "sqlite");
  EXPECT_EQ(changes.worse[2].workload, "map");
  EXPECT_NEAR(changes.worse[2].ratio, 1.2, 1e-9);
  EXPECT_EQ(changes.worse[3].workload, "drift");
  EXPECT_EQ(changes.worse[3].what, "peak RSS");
  ASSERT_EQ(changes.better.size(), 1u);
  EXPECT_EQ(changes.better[0].workload, "drift");
  const std::string text = ChangesText(changes, MakeInfo(), MakeInfo());
  EXPECT_TRUE(Contains(text, "4 worse and 1 better"));
  EXPECT_TRUE(Contains(text, "REGRESSION"));
  EXPECT_TRUE(Contains(text, "1.200"));
  EXPECT_FALSE(Contains(text, "another machine"));
  // What fails in both is no regression.
  EXPECT_TRUE(ChangesSince(now, now).worse.empty());
}

TEST(ChangesSince, OverlappingIntervalsAreNoise) {
  Results former = MakeBenchResults();
  Results now = MakeBenchResults();
  const size_t map = CaseOf(former, "map");
  for (const double ns : {100.0, 101.0, 110.0}) {
    former.Add(kSegment, map, MakeSample(ns));
    now.Add(kSegment, map, MakeSample(ns + 9));
  }
  EXPECT_TRUE(ChangesSince(former, now).worse.empty());
  // One run says nothing of its noise: only a large change counts.
  Results one = MakeBenchResults();
  Results other = MakeBenchResults();
  one.Add(kSegment, map, MakeSample(100));
  other.Add(kSegment, map, MakeSample(109));
  EXPECT_TRUE(ChangesSince(one, other).worse.empty());
  EXPECT_TRUE(ChangesSince(other, one).better.empty());
  Results slow = MakeBenchResults();
  slow.Add(kSegment, map, MakeSample(115));
  EXPECT_EQ(ChangesSince(one, slow).worse.size(), 1u);
}

TEST(CheckComparable, WantsTheSameSuiteAndEffort) {
  EXPECT_TRUE(CheckComparable(MakeInfo(), "full", 100).ok());
  EXPECT_FALSE(CheckComparable(MakeInfo(), "quick", 100).ok());
  EXPECT_FALSE(CheckComparable(MakeInfo(), "full", 50).ok());
}

TEST(ChangesText, SaysWhenTheMachineIsAnother) {
  RunInfo other = MakeInfo();
  other.machine[0].second = "slow";
  EXPECT_TRUE(Contains(ChangesText({}, other, MakeInfo()),
                       "another machine: cpu slow"));
}

}  // namespace
}  // namespace hakmem::bench
