// The worker of the workloads of large blocks from outside: each for a moment,
// on libc's malloc.
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
  return RunOnWorker(kWorker, name, "--effort=10", more);
}

class EveryWorkload : public testing::TestWithParam<const char*> {};

TEST_P(EveryWorkload, PrintsSaneFigures) {
  const WorkerLine line = RunWorkload(GetParam());
  EXPECT_EQ(line.Text("workload"), GetParam());
  EXPECT_EQ(Number(line, "threads"), 1);
  EXPECT_EQ(Number(line, "seed"), 7);
  EXPECT_GE(Number(line, "operations"), 150);
  EXPECT_GT(Number(line, "wall_ns"), 1e5);
  EXPECT_GT(Number(line, "cpu_ns"), 1e5);
  EXPECT_LT(Number(line, "cpu_ns"), 60e9);
  EXPECT_LT(Number(line, "peak_rss_kib"), 1 << 20);
  EXPECT_TRUE(line.series.empty());
}

TEST_P(EveryWorkload, DoesWhatSeedAndEffortSay) {
  const WorkerLine line = RunWorkload(GetParam());
  EXPECT_EQ(Number(line, "operations"),
            Number(RunWorkload(GetParam()), "operations"));
  EXPECT_EQ(2 * Number(line, "operations"),
            Number(RunWorkload(GetParam(), {"--effort=20"}), "operations"));
}

INSTANTIATE_TEST_SUITE_P(Large, EveryWorkload,
                         testing::Values("large-blocks", "realloc-ladder"));

TEST(LargeWorker, BlocksAreAsLargeAsTheyShouldBe) {
  // Sixteen blocks of 6.5 MiB on average.
  const WorkerLine line = RunWorkload("large-blocks");
  EXPECT_GT(Number(line, "peak_rss_kib"), 80 << 10);
  EXPECT_LT(Number(line, "peak_rss_kib"), 512 << 10);
}

TEST(LargeWorker, BuffersClimbToTheTop) {
  // Four buffers that reach 8 MiB, not all at once.
  const WorkerLine line = RunWorkload("realloc-ladder", {"--effort=50"});
  EXPECT_GT(Number(line, "peak_rss_kib"), 16 << 10);
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
