// The worker of the ACE suite from outside: each workload for a moment.
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorker[] = "benchmarks/workloads/large/large_worker";

// What the workload printed; null, and a failure, when it did not.
WorkerLine RunWorkload(const std::string& name,
                       const std::vector<std::string>& more = {}) {
  return RunOnWorker(kWorker, name, "--effort=2", more);
}

class EveryWorkload : public testing::TestWithParam<const char*> {};

TEST_P(EveryWorkload, PrintsSaneFigures) {
  const WorkerLine line = RunWorkload(GetParam());
  EXPECT_EQ(line.Text("workload"), GetParam());
  EXPECT_EQ(Number(line, "seed"), 7);
  EXPECT_GT(Number(line, "operations"), 50);
  EXPECT_GT(Number(line, "wall_ns"), 1e4);
  EXPECT_GT(Number(line, "cpu_ns"), 1e4);
  EXPECT_LT(Number(line, "cpu_ns"), 60e9);
  EXPECT_GT(Number(line, "peak_rss_kib"), 4096);
  EXPECT_LT(Number(line, "peak_rss_kib"), 1 << 20);
  // All that was resident at the peak was faulted in once at least, but for
  // what the kernel maps around a fault in a file.
  EXPECT_GT(Number(line, "minor_faults"),
            Number(line, "peak_rss_kib") / 4 - 512);
  EXPECT_FALSE(line.has_statistics);
}

INSTANTIATE_TEST_SUITE_P(Ace, EveryWorkload,
                         testing::Values("steady-64", "steady-4096",
                                         "phase-shift", "bursts", "messages",
                                         "realloc"));

TEST(AceWorker, WorkingSetsAreAsLargeAsTheyShouldBe) {
  // 4096 blocks of 46 KiB on average; three vectors of 64 MiB.
  EXPECT_GT(Number(RunWorkload("steady-4096"), "peak_rss_kib"), 160 << 10);
  EXPECT_LT(Number(RunWorkload("steady-64"), "peak_rss_kib"), 32 << 10);
  EXPECT_GT(Number(RunWorkload("realloc"), "peak_rss_kib"), 190 << 10);
  EXPECT_GT(Number(RunWorkload("bursts"), "peak_rss_kib"), 60 << 10);
}

TEST(AceWorker, EffortSetsHowMuchIsDone) {
  const double little = Number(RunWorkload("steady-64"), "operations");
  const double more =
      Number(RunWorkload("steady-64", {"--effort=6"}), "operations");
  EXPECT_EQ(more, 3 * little);
}

TEST(AceWorker, ReportsWhatLibcsBlocksWaste) {
  const double waste = Number(RunWorkload("steady-64"), "internal_waste");
  EXPECT_GT(waste, 0);
  EXPECT_LT(waste, 0.01);
}

TEST(AceWorker, ReportsWhatIsResidentAfterBursts) {
  const WorkerLine line = RunWorkload("bursts");
  EXPECT_GT(Number(line, "resident_before_kib"), 500);
  EXPECT_GT(Number(line, "live_after_kib"), 100);
  EXPECT_LT(Number(line, "live_after_kib"), 64 << 10);
  EXPECT_GT(Number(line, "resident_after_kib"),
            Number(line, "resident_before_kib"));
  // A block about every millisecond of two seconds, and a burst of some 1400.
  EXPECT_GT(Number(line, "operations"), 1500);
  // The sleep between them is not in the time.
  EXPECT_LT(Number(line, "wall_ns"), 1e9);
}

TEST(AceWorker, ProbeSaysWhoServes) { ExpectProbeSaysWhoServes(kWorker); }

TEST(AceWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(kWorker);
}

}  // namespace
}  // namespace hakmem::bench
