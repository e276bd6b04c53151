// What the workloads on several threads find out about an allocator: about
// libc's, which is sound, and about one whose blocks overlap.
#include <string>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorker[] = "benchmarks/workloads/threads/threads_worker";

TEST(ThreadsWorkerMalloc, LibcKeepsResidentMemoryFlat) {
  // What is made between the two readings is 12 MiB and more for each, and more
  // than 140 MiB where sizes go beyond a KiB: an allocator that never reused
  // what another thread freed would hold it all.
  const struct {
    const char* name;
    double growth_kib;
  } kExpected[] = {
      {"asymmetric", 6 << 10},
      {"server", 6 << 10},
      {"churn", 6 << 10},
      {"pipe-1-1", 6 << 10},
      {"slots-handed-on", 24 << 10},
      {"threads-mix", 24 << 10},
  };
  for (const auto& [name, growth_kib] : kExpected) {
    const ProcessResult result =
        RunProgram(kWorker, {std::string("--workload=") + name, "--effort=2"});
    ASSERT_TRUE(result.ok()) << name << ": " << result.Describe();
    const WorkerLine line = WorkerLine::Parse(result.output);
    const double before = Number(line, "resident_before_kib");
    const double after = Number(line, "resident_after_kib");
    EXPECT_GT(before, 500) << name;
    EXPECT_LT(after, before + growth_kib) << name;
  }
}

TEST(ThreadsWorkerMalloc, OverlappingBlocksAreNoticed) {
  // The workloads that always have more live than that allocator's ring holds;
  // the blocks in a pipe are sometimes fewer.
  for (const char* const name :
       {"server", "asymmetric", "slots-handed-on", "threads-mix"}) {
    const ProcessResult result =
        RunProgram(kWorker, {std::string("--workload=") + name, "--effort=2"},
                   BrokenMalloc());
    EXPECT_EQ(result.ending, ProcessResult::kExited)
        << name << ": " << result.Describe();
    EXPECT_EQ(result.code, 1) << name;
    EXPECT_EQ(result.output, "") << name;
    EXPECT_TRUE(Contains(result.errors, "no longer holds what was written"))
        << name << ": " << result.errors;
  }
}

}  // namespace
}  // namespace hakmem::bench
