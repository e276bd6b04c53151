// The worker of small blocks from outside: each workload for a moment.
#include <stdlib.h>

#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorker[] = "benchmarks/workloads/small/small_worker";

ProcessResult RunWorker(const std::string& name,
                        const std::vector<std::string>& more = {},
                        const std::string& preload = "") {
  std::vector<std::string> arguments = {"--workload=" + name, "--effort=2",
                                        "--seed=7"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunProgram(kWorker, arguments, preload);
}

// What the workload printed; null, and a failure, when it did not.
WorkerLine RunWorkload(const std::string& name,
                       const std::vector<std::string>& more = {}) {
  return LineOf(RunWorker(name, more), name);
}

class EveryWorkload : public testing::TestWithParam<const char*> {};

TEST_P(EveryWorkload, PrintsSaneFigures) {
  const WorkerLine line = RunWorkload(GetParam());
  ExpectSane(line, GetParam());
  EXPECT_EQ(Number(line, "threads"), 1);
  EXPECT_EQ(Number(line, "effort"), 2);
  EXPECT_GE(Number(line, "operations"), 100'000);
  EXPECT_GT(Number(line, "peak_rss_kib"), 2048);
  // All that was resident at the peak was faulted in once at least, but for
  // what the kernel maps around a fault in a file.
  EXPECT_GT(Number(line, "minor_faults"),
            Number(line, "peak_rss_kib") / 4 - 1024);
}

TEST_P(EveryWorkload, SameSeedSameOperations) {
  const double first = Number(RunWorkload(GetParam()), "operations");
  EXPECT_EQ(Number(RunWorkload(GetParam()), "operations"), first);
}

INSTANTIATE_TEST_SUITE_P(Small, EveryWorkload,
                         testing::Values("lognormal-256", "lognormal-8192",
                                         "lognormal-65536", "lognormal-1048576",
                                         "batch-in-order", "batch-reversed",
                                         "batch-shuffled", "class-burst", "map",
                                         "unordered-map", "string-append",
                                         "expression-trees"));

TEST(SmallWorker, WorkingSetsAreAsLargeAsTheyShouldBe) {
  const auto peak_mib = [](const std::string& name) {
    return Number(RunWorkload(name), "peak_rss_kib") / 1024;
  };
  // Half of the slots hold 195 bytes on average; the other numbers are blocks
  // and bytes. An allocator's own part comes on top, and arrays of 16 or 24
  // bytes an entry.
  EXPECT_LT(peak_mib("lognormal-256"), 8);
  EXPECT_GT(peak_mib("lognormal-65536"), 6);
  EXPECT_LT(peak_mib("lognormal-65536"), 24);
  EXPECT_GT(peak_mib("lognormal-1048576"), 97 + 16);
  EXPECT_LT(peak_mib("lognormal-1048576"), 200);
  EXPECT_GT(peak_mib("batch-shuffled"), 1e6 * (136 + 24) / (1 << 20));
  EXPECT_GT(peak_mib("class-burst"), 1600.0 * 2048 / (1 << 20));
  EXPECT_LT(peak_mib("class-burst"), 12);
  EXPECT_GT(peak_mib("map"), 262144.0 * 48 / (1 << 20));
  EXPECT_GT(peak_mib("unordered-map"), 262144.0 * 24 / (1 << 20));
  EXPECT_GT(peak_mib("expression-trees"), 4);
}

TEST(SmallWorker, EffortSetsHowMuchIsDone) {
  const auto operations = [](const char* name, const char* effort) {
    return Number(RunWorkload(name, {effort}), "operations");
  };
  EXPECT_EQ(operations("lognormal-8192", "--effort=6"),
            3 * operations("lognormal-8192", "--effort=2"));
  EXPECT_EQ(operations("string-append", "--effort=6"),
            3 * operations("string-append", "--effort=2"));
  // Those that run whole rounds.
  EXPECT_EQ(operations("class-burst", "--effort=10"),
            2 * operations("class-burst", "--effort=5"));
  EXPECT_EQ(operations("batch-in-order", "--effort=67"),
            2 * operations("batch-in-order", "--effort=2"));
  EXPECT_EQ(operations("unordered-map", "--effort=25"),
            2 * operations("unordered-map", "--effort=2"));
}

testing::AssertionResult NoticesDamage(const ProcessResult& result) {
  if (result.ending == ProcessResult::kExited && result.code == 1 &&
      result.output.empty() && Contains(result.errors, "no longer h") &&
      result.errors.find('\n') == result.errors.size() - 1) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << result.Describe() << "\nstdout: " << result.output
         << "\nstderr: " << result.errors;
}

// All but lognormal-256, whose blocks die before this allocator hands them out
// again, and those in C++, which crash before they can check.
TEST(SmallWorker, NoticesBlocksThatOverlap) {
  for (const char* const name :
       {"lognormal-8192", "lognormal-65536", "lognormal-1048576",
        "batch-in-order", "batch-reversed", "batch-shuffled", "class-burst"}) {
    EXPECT_TRUE(NoticesDamage(RunWorker(name, {}, BrokenMalloc()))) << name;
  }
  for (const char* const name :
       {"map", "unordered-map", "string-append", "expression-trees"}) {
    EXPECT_FALSE(RunWorker(name, {}, BrokenMalloc()).ok()) << name;
  }
}

// A single bit of a single block.
TEST(SmallWorker, NoticesOneWrongBit) {
  struct Case {
    const char* workload;
    const char* damage;  // damaging_malloc_test_helper.cc
  };
  const std::string preload =
      Here("benchmarks/workloads/small/libdamaging_malloc_test_helper.so");
  constexpr Case kCases[] = {
      {"batch-in-order", "64,0,900"},    {"batch-shuffled", "64,56,950"},
      {"class-burst", "64,56,950"},      {"class-burst", "1024,0,950"},
      {"map", "48,32,100000"},           {"map", "48,40,390000"},
      {"unordered-map", "24,8,1000"},    {"unordered-map", "24,16,390000"},
      {"string-append", "31,0,100"},     {"string-append", "31,15,1000"},
      {"expression-trees", "16,8,1000"}, {"expression-trees", "16,8,50000"},
  };
  for (const auto& [workload, damage] : kCases) {
    setenv("DAMAGE", damage, 1);
    EXPECT_TRUE(NoticesDamage(RunWorker(workload, {}, preload)))
        << workload << " " << damage;
  }
  // It is the bit that they notice, not the allocator.
  unsetenv("DAMAGE");
  for (const auto& [workload, damage] : kCases) {
    EXPECT_TRUE(RunWorker(workload, {}, preload).ok()) << workload;
  }
}

TEST(SmallWorker, OutOfMemoryIsOneLineAndStatusOne) {
  struct Case {
    const char* workload;
    const char* kib;  // of address space, about half of what it needs
  };
  constexpr Case kCases[] = {
      {"lognormal-1048576", "60000"},
      {"batch-in-order", "100000"},
      {"map", "24000"},
      {"unordered-map", "16000"},
      {"string-append", "14000"},
      {"expression-trees", "9000"},
  };
  for (const auto& [workload, kib] : kCases) {
    const ProcessResult result = RunProgram(
        "/bin/sh", {"-c", "ulimit -v $0; exec \"$1\" --workload=\"$2\"", kib,
                    kWorker, workload});
    EXPECT_EQ(result.ending, ProcessResult::kExited) << workload;
    EXPECT_EQ(result.code, 1) << workload << ": " << result.Describe();
    EXPECT_TRUE(Contains(result.errors, "out of memory") ||
                Contains(result.errors, "bad_alloc"))
        << result.errors;
    EXPECT_EQ(result.errors.find('\n'), result.errors.size() - 1) << workload;
  }
}

TEST(SmallWorker, ProbeSaysWhoServes) { ExpectProbeSaysWhoServes(kWorker); }

TEST(SmallWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(kWorker);
}

}  // namespace
}  // namespace hakmem::bench
