// The worker of the workloads about memory from outside: each for a moment, on
// libc's malloc.
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorker[] = "benchmarks/workloads/memory/memory_worker";

// What the workload printed at one percent; null, and a failure, when it did
// not.
WorkerLine RunWorkload(const std::string& name,
                       const std::vector<std::string>& more = {}) {
  return RunOnWorker(kWorker, name, "--effort=1", more);
}

// The largest of the first or second numbers of the series' points.
double Most(const WorkerLine& line, size_t which) {
  double most = 0;
  for (const auto& [live, resident] : line.series) {
    const double number = which == 0 ? live : resident;
    if (number > most) most = number;
  }
  return most;
}
double MostLive(const WorkerLine& line) { return Most(line, 0); }
double MostResident(const WorkerLine& line) { return Most(line, 1); }

// The same of those that follow resident memory as they run.
void ExpectSaneSeries(const WorkerLine& line, const std::string& name,
                      double threads) {
  ExpectSane(line, name);
  EXPECT_EQ(Number(line, "threads"), threads);
  EXPECT_GT(Number(line, "operations"), 1000);
  EXPECT_GT(Number(line, "resident_before_kib"), 500);
  EXPECT_GT(line.series.size(), 16u);
  EXPECT_LE(line.series.size(), 64u);
  // The kernel's figures are late by some hundred KiB.
  EXPECT_GE(MostResident(line), MostLive(line));
  EXPECT_GE(Number(line, "peak_rss_kib") + 1024, MostResident(line));
  EXPECT_GE(Number(line, "peak_rss_kib") + 1024,
            Number(line, "resident_after_kib"));
}

struct Growing {
  const char* name;
  double threads;
};

class EveryGrowth : public testing::TestWithParam<Growing> {};

TEST_P(EveryGrowth, GrowsAndIsFreed) {
  const WorkerLine line = RunWorkload(GetParam().name);
  ExpectSaneSeries(line, GetParam().name, GetParam().threads);
  // A percent of 4 GiB, in blocks of 1 KiB.
  EXPECT_GE(MostLive(line), 40 << 10);
  EXPECT_LT(MostLive(line), 42 << 10);
  EXPECT_GT(Number(line, "operations"), 35'000);
  EXPECT_LT(Number(line, "operations"), 50'000);
  EXPECT_GT(Number(line, "peak_rss_kib") - Number(line, "resident_before_kib"),
            36 << 10);
  // Up by even steps from nothing, and down to nothing.
  const std::vector<std::pair<double, double>>& series = line.series;
  ASSERT_EQ(series.size(), 64u);
  for (size_t i = 0; i < series.size(); ++i) {
    const double live = series[i].first;
    const double steps = static_cast<double>(i <= 31 ? i : i < 63 ? 62 - i : 0);
    EXPECT_NEAR(live, MostLive(line) * steps / 31, MostLive(line) / 16) << i;
  }
  EXPECT_EQ(Number(line, "live_after_kib"), 0);
  // Two seconds of light activity are in no time.
  EXPECT_LT(Number(line, "cpu_ns"), 2e9);
}

INSTANTIATE_TEST_SUITE_P(Memory, EveryGrowth,
                         testing::Values(Growing{"grow-in-order-same", 1},
                                         Growing{"grow-in-order-others", 3},
                                         Growing{"grow-in-order-ended", 4},
                                         Growing{"grow-shuffled-same", 1},
                                         Growing{"grow-shuffled-others", 3},
                                         Growing{"grow-shuffled-ended", 4}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(MemoryWorker, ThinnedOutBlocksStay) {
  // A tenth of 256 MiB.
  const WorkerLine line = RunWorkload("thin-out", {"--effort=10"});
  ExpectSaneSeries(line, "thin-out", 1);
  const double round = 25.6 * 1024;
  EXPECT_NEAR(Number(line, "live_after_kib"), round * (1 + 2. / 64), 100);
  EXPECT_NEAR(MostLive(line), Number(line, "live_after_kib"), 100);
  EXPECT_GT(Number(line, "resident_after_kib"), round);
  EXPECT_GT(Number(line, "operations"), 234'000);
}

TEST(MemoryWorker, TheWorkingSetStaysTheSameWhileSizesDrift) {
  const WorkerLine line = RunWorkload("drift", {"--effort=10"});
  ExpectSaneSeries(line, "drift", 1);
  ASSERT_EQ(line.series.size(), 64u);
  for (const auto& [live, resident] : line.series) {
    EXPECT_LE(live, 64 << 10);
    EXPECT_GT(live, 60 << 10);
  }
  EXPECT_GT(Number(line, "live_after_kib"), 60 << 10);
  EXPECT_GT(Number(line, "resident_after_kib"), 64 << 10);
}

TEST(MemoryWorker, HundredsOfThreadsWorkAndWait) {
  const WorkerLine line = RunWorkload("idle-hundreds", {"--effort=10"});
  EXPECT_EQ(Number(line, "threads"), 500);
  EXPECT_EQ(Number(line, "operations"), 500 * 200);
  EXPECT_GT(Number(line, "resident_after_kib"),
            Number(line, "resident_before_kib"));
  EXPECT_NEAR(Number(line, "idle_thread_kib"),
              (Number(line, "resident_after_kib") -
               Number(line, "resident_before_kib")) /
                  500,
              0.01);
  // Three seconds of light activity are in no time.
  EXPECT_LT(Number(line, "cpu_ns"), 2e9);
}

TEST(MemoryWorker, SingleCallsAreTimed) {
  // 32 MiB.
  const WorkerLine line = RunWorkload("call-latency", {"--effort=3"});
  EXPECT_GT(Number(line, "operations"), 2 * 30'000);
  EXPECT_GT(Number(line, "peak_rss_kib"), 30 << 10);
  const double usual = Number(line, "call_p999_ns");
  const double longest = Number(line, "call_longest_ns");
  EXPECT_GT(usual, 100);
  EXPECT_GT(longest, usual);
  EXPECT_LT(longest, 1e9);
  EXPECT_LE(Number(line, "call_beyond_faults_ns"), longest);
  EXPECT_GT(Number(line, "call_beyond_faults_ns"), 100);
}

TEST(MemoryWorker, TheCacheFillsAndExpires) {
  // Three seconds busy, three quiet.
  const WorkerLine line = RunWorkload("expiring-cache", {"--effort=5"});
  ExpectSaneSeries(line, "expiring-cache", 1);
  EXPECT_EQ(Number(line, "operations"), 300 * 1000 + 300 * 50);
  EXPECT_GT(MostLive(line), 50 << 10);
  EXPECT_LT(Number(line, "live_after_kib"), MostLive(line) / 3);
  EXPECT_GT(Number(line, "live_mean_kib"), Number(line, "live_after_kib"));
  EXPECT_LT(Number(line, "live_mean_kib"), MostLive(line));
  EXPECT_GT(Number(line, "resident_mean_kib"), Number(line, "live_mean_kib"));
  EXPECT_LE(Number(line, "resident_mean_kib"),
            Number(line, "peak_rss_kib") + 1024);
  // Its sleep is in no time.
  EXPECT_LT(Number(line, "wall_ns"), 5e9);
}

TEST(MemoryWorker, ForkedChildrenShareWhatTheyLeaveAlone) {
  const WorkerLine little = RunWorkload("prefork", {"--effort=1"});
  EXPECT_EQ(Number(little, "threads"), 8);
  EXPECT_EQ(Number(little, "operations"), 8 * 1000);
  EXPECT_GT(Number(little, "cpu_ns"), 1e5);
  // Two thirds of 64 MiB are live, and more is resident. Nine processes have
  // less together than if they shared nothing.
  EXPECT_GT(Number(little, "peak_rss_kib"), 43 << 10);
  EXPECT_GT(Number(little, "proportional_kib"),
            Number(little, "peak_rss_kib") - 4096);
  EXPECT_LT(Number(little, "proportional_kib"),
            6 * Number(little, "peak_rss_kib"));
  // Who writes more shares less.
  EXPECT_GT(Number(RunWorkload("prefork", {"--effort=20"}), "proportional_kib"),
            Number(little, "proportional_kib"));
}

TEST(MemoryWorker, TheSameSeedAsksForTheSame) {
  for (const char* const name :
       {"thin-out", "drift", "call-latency", "prefork"}) {
    EXPECT_EQ(Number(RunWorkload(name), "operations"),
              Number(RunWorkload(name), "operations"));
  }
  EXPECT_NE(Number(RunWorkload("drift"), "operations"),
            Number(RunWorkload("drift", {"--seed=8"}), "operations"));
}

TEST(MemoryWorker, EffortSetsHowMuchIsDone) {
  EXPECT_NEAR(Number(RunWorkload("thin-out", {"--effort=3"}), "operations"),
              3 * Number(RunWorkload("thin-out"), "operations"), 10);
}

TEST(MemoryWorker, WithoutEnoughMemoryItIsOneLineAndStatusThree) {
  // Four hundred GiB.
  if (AvailableKib() >= uint64_t{600} << 20) {
    GTEST_SKIP() << "this machine could";
  }
  const ProcessResult result =
      RunProgram(kWorker, {"--workload=grow-in-order-same", "--effort=10000"});
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(Contains(result.errors, "needs 614400 MiB")) << result.errors;
  EXPECT_EQ(result.errors.find('\n'), result.errors.size() - 1);
}

TEST(MemoryWorker, NoticesBlocksThatOverlap) {
  for (const char* const name :
       {"grow-in-order-same", "grow-shuffled-others", "grow-shuffled-ended",
        "thin-out", "drift", "call-latency", "prefork"}) {
    const ProcessResult result =
        RunProgram(kWorker, {std::string("--workload=") + name, "--effort=1"},
                   BrokenMalloc());
    EXPECT_EQ(result.ending, ProcessResult::kExited) << name;
    EXPECT_EQ(result.code, 1) << name;
    EXPECT_TRUE(Contains(result.errors, "no longer holds")) << result.errors;
  }
}

TEST(MemoryWorker, ProbeSaysWhoServes) { ExpectProbeSaysWhoServes(kWorker); }

TEST(MemoryWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(kWorker);
}

}  // namespace
}  // namespace hakmem::bench
