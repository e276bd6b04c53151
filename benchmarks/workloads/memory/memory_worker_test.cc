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

void ExpectSane(const WorkerLine& line, const std::string& name,
                double threads) {
  EXPECT_EQ(line.Text("workload"), name);
  EXPECT_EQ(Number(line, "threads"), threads);
  EXPECT_EQ(Number(line, "seed"), 7);
  EXPECT_GT(Number(line, "operations"), 1000);
  EXPECT_GT(Number(line, "wall_ns"), 1e5);
  EXPECT_GT(Number(line, "cpu_ns"), 1e5);
  EXPECT_LT(Number(line, "cpu_ns"), 60e9);
  EXPECT_GT(Number(line, "resident_before_kib"), 500);
  EXPECT_GT(line.series.size(), 16u);
  EXPECT_LE(line.series.size(), 64u);
  // The kernel's figures are late by some hundred KiB.
  EXPECT_GE(MostResident(line), MostLive(line));
  EXPECT_GE(Number(line, "peak_rss_kib") + 1024, MostResident(line));
  EXPECT_LT(Number(line, "peak_rss_kib"), 1 << 20);
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
  ExpectSane(line, GetParam().name, GetParam().threads);
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
  ExpectSane(line, "thin-out", 1);
  const double round = 25.6 * 1024;
  EXPECT_NEAR(Number(line, "live_after_kib"), round * (1 + 2. / 64), 100);
  EXPECT_NEAR(MostLive(line), Number(line, "live_after_kib"), 100);
  EXPECT_GT(Number(line, "resident_after_kib"), round);
  EXPECT_GT(Number(line, "operations"), 234'000);
}

TEST(MemoryWorker, TheWorkingSetStaysTheSameWhileSizesDrift) {
  const WorkerLine line = RunWorkload("drift", {"--effort=10"});
  ExpectSane(line, "drift", 1);
  ASSERT_EQ(line.series.size(), 64u);
  for (const auto& [live, resident] : line.series) {
    EXPECT_LE(live, 64 << 10);
    EXPECT_GT(live, 60 << 10);
  }
  EXPECT_GT(Number(line, "live_after_kib"), 60 << 10);
  EXPECT_GT(Number(line, "resident_after_kib"), 64 << 10);
}

TEST(MemoryWorker, TheSameSeedAsksForTheSame) {
  for (const char* const name : {"thin-out", "drift"}) {
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
  for (const char* const name : {"grow-in-order-same", "grow-shuffled-others",
                                 "grow-shuffled-ended", "thin-out", "drift"}) {
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
