// The worker of the workloads of mid-sized and large blocks from outside: each
// for a moment, on libc's malloc.
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
WorkerLine RunWorkload(const std::string& name, const std::string& effort,
                       const std::vector<std::string>& more = {}) {
  return RunOnWorker(kWorker, name, "--effort=" + effort, more);
}

class EveryWorkload : public testing::TestWithParam<const char*> {};

TEST_P(EveryWorkload, PrintsSaneFigures) {
  const WorkerLine line = RunWorkload(GetParam(), "2");
  ExpectSane(line, GetParam());
  EXPECT_GT(Number(line, "peak_rss_kib"), 2048);
  // All that was resident at the peak was faulted in once at least, but for
  // what the kernel maps around a fault in a file.
  EXPECT_GT(Number(line, "minor_faults"),
            Number(line, "peak_rss_kib") / 4 - 512);
  EXPECT_FALSE(line.has_statistics);
  EXPECT_TRUE(line.series.empty());
}

INSTANTIATE_TEST_SUITE_P(Large, EveryWorkload,
                         testing::Values("steady-64", "steady-4096",
                                         "phase-shift", "bursts", "messages",
                                         "realloc", "large-blocks",
                                         "realloc-ladder"));

TEST(LargeWorker, SeedAndEffortSayHowMuchIsDone) {
  for (const char* const name :
       {"steady-64", "large-blocks", "realloc-ladder"}) {
    const double operations = Number(RunWorkload(name, "10"), "operations");
    EXPECT_EQ(Number(RunWorkload(name, "10"), "operations"), operations);
    EXPECT_EQ(Number(RunWorkload(name, "30"), "operations"), 3 * operations);
  }
}

TEST(LargeWorker, BlocksAreAsLargeAsTheyShouldBe) {
  // Sixteen blocks of 6.5 MiB on average.
  const WorkerLine line = RunWorkload("large-blocks", "10");
  EXPECT_GT(Number(line, "peak_rss_kib"), 80 << 10);
  EXPECT_LT(Number(line, "peak_rss_kib"), 512 << 10);
}

TEST(LargeWorker, BuffersClimbToTheTop) {
  // Four buffers that reach 8 MiB, not all at once.
  const WorkerLine line = RunWorkload("realloc-ladder", "50");
  EXPECT_GT(Number(line, "peak_rss_kib"), 16 << 10);
}

TEST(LargeWorker, WorkingSetsAreAsLargeAsTheyShouldBe) {
  // 4096 blocks of 46 KiB on average; three vectors of 64 MiB.
  EXPECT_GT(Number(RunWorkload("steady-4096", "2"), "peak_rss_kib"), 160 << 10);
  EXPECT_LT(Number(RunWorkload("steady-64", "2"), "peak_rss_kib"), 32 << 10);
  EXPECT_GT(Number(RunWorkload("realloc", "2"), "peak_rss_kib"), 190 << 10);
  EXPECT_GT(Number(RunWorkload("bursts", "2"), "peak_rss_kib"), 60 << 10);
}

TEST(LargeWorker, ReportsWhatLibcsBlocksWaste) {
  const double waste = Number(RunWorkload("steady-64", "2"), "internal_waste");
  EXPECT_GT(waste, 0);
  EXPECT_LT(waste, 0.01);
}

TEST(LargeWorker, ReportsWhatIsResidentAfterBursts) {
  const WorkerLine line = RunWorkload("bursts", "2");
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

TEST(LargeWorker, NoticesBlocksThatOverlap) {
  const ProcessResult result = RunProgram(
      kWorker, {"--workload=realloc-ladder", "--effort=10"}, BrokenMalloc());
  EXPECT_EQ(result.ending, ProcessResult::kExited);
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(Contains(result.errors, "no longer holds")) << result.errors;
}

TEST(LargeWorker, ProbeSaysWhoServes) { ExpectProbeSaysWhoServes(kWorker); }

TEST(LargeWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(kWorker);
}

}  // namespace
}  // namespace hakmem::bench
