// The worker of the workloads on several threads from outside: each workload
// for a moment. With a sanitizer, this is also the test that they synchronise.
#include <map>
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorker[] = "benchmarks/workloads/threads/threads_worker";

// What the workload printed; null, and a failure, when it did not.
WorkerLine RunWorkload(const std::string& name,
                       const std::vector<std::string>& more = {}) {
  return RunOnWorker(kWorker, name, "--effort=2", more);
}

class EveryWorkload : public testing::TestWithParam<const char*> {};

TEST_P(EveryWorkload, PrintsSaneFigures) {
  const WorkerLine line = RunWorkload(GetParam());
  ExpectSane(line, GetParam());
  EXPECT_EQ(Number(line, "effort"), 2);
  EXPECT_GT(Number(line, "operations"), 10'000);
}

TEST_P(EveryWorkload, DoesWhatSeedAndEffortSay) {
  const double once = Number(RunWorkload(GetParam()), "operations");
  const double again = Number(RunWorkload(GetParam()), "operations");
  const double more =
      Number(RunWorkload(GetParam(), {"--effort=4"}), "operations");
  EXPECT_EQ(once, again);
  // The blocks with which false-sharing-passive starts come once.
  EXPECT_NEAR(more, 2 * once, 32);
}

INSTANTIATE_TEST_SUITE_P(Threads, EveryWorkload,
                         testing::Values("pipe-1-1", "pipe-4-4", "server",
                                         "slots-handed-on", "churn",
                                         "false-sharing-active",
                                         "false-sharing-passive", "asymmetric",
                                         "threads-mix"));

TEST(ThreadsWorker, SaysHowManyThreadsWork) {
  const std::map<std::string, double> threads = {
      {"pipe-1-1", 2},   {"pipe-4-4", 8},   {"server", 4},
      {"churn", 4},      {"asymmetric", 2}, {"false-sharing-active", 4},
      {"threads-mix", 4}};
  for (const auto& [name, count] : threads) {
    EXPECT_EQ(Number(RunWorkload(name), "threads"), count) << name;
  }
}

TEST(ThreadsWorker, ReportsResidentMemoryEarlyAndLate) {
  // How much is live at the end, in KiB: all of the server's 4 * 1000 blocks of
  // 255 bytes on average, about a half of churn's 4 * 64 of 242, asymmetric's
  // 4096 of 143; of the pipe's whatever is in the queue; 4 * 250 that are
  // handed on, of 9 KiB; the mix's 4 * 1024, and what is on the shelves, of 2
  // KiB.
  const struct {
    const char* name;
    double least;
    double most;
  } kExpected[] = {
      {"server", 980, 1010},          {"churn", 25, 36},
      {"asymmetric", 550, 595},       {"pipe-1-1", 1, 520},
      {"pipe-4-4", 1, 520},           {"slots-handed-on", 8'000, 10'000},
      {"threads-mix", 9'800, 11'300},
  };
  for (const auto& [name, least, most] : kExpected) {
    const WorkerLine line = RunWorkload(name);
    EXPECT_GE(Number(line, "live_after_kib"), least) << name;
    EXPECT_LE(Number(line, "live_after_kib"), most) << name;
    EXPECT_GT(Number(line, "resident_before_kib"), 500) << name;
    EXPECT_GT(Number(line, "resident_after_kib"),
              500 + Number(line, "live_after_kib"))
        << name;
  }
  // Here hardly anything is live.
  EXPECT_EQ(RunWorkload("false-sharing-active").numbers.count("live_after_kib"),
            0u);
}

TEST(ThreadsWorker, WorksForTheLeastEffort) {
  for (const char* const name : {"server", "churn", "asymmetric", "pipe-4-4",
                                 "slots-handed-on", "threads-mix"}) {
    RunWorkload(name, {"--effort=1"});
  }
}

TEST(ThreadsWorker, ProbeSaysWhoServes) { ExpectProbeSaysWhoServes(kWorker); }

TEST(ThreadsWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(kWorker);
}

}  // namespace
}  // namespace hakmem::bench
