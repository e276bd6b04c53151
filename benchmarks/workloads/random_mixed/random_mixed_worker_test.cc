// The worker program from outside: what it prints and how it ends.
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

ProcessResult RunWorker(const std::vector<std::string>& arguments) {
  return RunProgram("benchmarks/workloads/random_mixed/random_mixed_worker",
                    arguments);
}

TEST(Worker, PrintsOneLineOfJson) {
  const ProcessResult result = RunWorker(
      {"--slots=256", "--operations=100000", "--threads=3", "--seed=9"});
  ASSERT_TRUE(result.ok()) << result.Describe();
  EXPECT_EQ(result.errors, "");
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1);
  const WorkerLine line = WorkerLine::Parse(result.output);
  EXPECT_EQ(Number(line, "slots"), 256);
  EXPECT_EQ(Number(line, "threads"), 3);
  EXPECT_EQ(Number(line, "operations"), 300'000);
  EXPECT_GT(Number(line, "wall_ns"), 0);
  EXPECT_GT(Number(line, "cpu_ns"), 0);
  EXPECT_GT(Number(line, "peak_rss_kib"), 100);
  EXPECT_GT(Number(line, "minor_faults"), 0);
}

TEST(Worker, RunsTheMidMix) {
  const auto peak_kib = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--slots=4096", "--operations=100000"});
    const ProcessResult result = RunWorker(arguments);
    EXPECT_TRUE(result.ok()) << result.Describe();
    return Number(WorkerLine::Parse(result.output), "peak_rss_kib");
  };
  // Half of 4096 slots with 4.2 KiB each, on average; else with 528 bytes. Of
  // the floor's blocks only the ends are touched.
  EXPECT_GT(peak_kib({"--mid"}), 8 << 10);
  EXPECT_LT(peak_kib({}), 6 << 10);
  EXPECT_GT(peak_kib({"--mid", "--floor"}), peak_kib({"--floor"}));
}

TEST(Worker, TimesOnlyTheLoop) {
  const auto cpu_ns = [](const std::string& operations) {
    const ProcessResult result = RunWorker({"--slots=8192", operations});
    EXPECT_TRUE(result.ok()) << result.Describe();
    return Number(WorkerLine::Parse(result.output), "cpu_ns");
  };
  // The warm-up of either takes 131072 steps.
  EXPECT_GT(cpu_ns("--operations=4000000"), 10 * cpu_ns("--operations=1000"));
}

TEST(Worker, FloorUsesNoMalloc) {
  const auto libc_bytes = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--slots=65536", "--operations=1000"});
    const ProcessResult result = RunWorker(arguments);
    EXPECT_TRUE(result.ok()) << result.Describe();
    const WorkerLine line = WorkerLine::Parse(result.output);
    return Number(line, "libc_malloc_bytes");
  };
  const double floor = libc_bytes({"--floor"});
  EXPECT_GE(floor, 0);
  EXPECT_LT(floor, 1 << 20);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Half of 65536 slots with 528 bytes each, on average.
  EXPECT_GT(libc_bytes({}), 15 << 20);
#endif
}

TEST(Worker, BadArgumentsAreOneLineAndStatusTwo) {
  for (const char* const bad :
       {"--slots=3", "--slots=0", "--slots=", "--slots=256x", "--slots=-256",
        "--slots", "--operations=0", "--operations=99999999999999999999",
        "--threads=0", "--threads=1000000", "--seed=x", "--florr", "8192", "",
        "--floor=1", "--mid=1"}) {
    EXPECT_TRUE(IsOneLineAndStatusTwo(RunWorker({bad}))) << bad;
  }
}

}  // namespace
}  // namespace hakmem::bench
