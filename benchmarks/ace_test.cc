// The whole tool, end to end, with little work.
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/harness/json.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kAce[] = "benchmarks/ace";

TEST(Ace, MeasuresReportsAndWritesFiles) {
  const std::string out = testing::TempDir() + "/ace/out";
  const ProcessResult result = RunProgram(
      kAce, {"--repeats=2", "--effort=1", "--out", out,
             "--only=segment,segment-ace_fixed,superslab-ace_off,glibc"});
  ASSERT_TRUE(result.ok()) << result.Describe() << result.output;
  for (const char* const part :
       {"steady-64: CPU time", "messages: wall time", "asked and reached",
        "segment-ace_fixed", "superslab-ace_off", "glibc", "waste"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  EXPECT_TRUE(Contains(result.errors, "repeat 2 of 2 done"));
  EXPECT_TRUE(Contains(ReadFile(out + "/ace.html"), "</html>"));

  const auto json = Json::Parse(ReadFile(out + "/ace.json"));
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["suite"].text(), "ACE");
  ASSERT_EQ((*json)["cases"].items().size(), 6u);
  for (const Json& a_case : (*json)["cases"].items()) {
    const std::string workload = a_case["workload"].text();
    ASSERT_EQ(a_case["results"].items().size(), 4u) << workload;
    for (const Json& cell : a_case["results"].items()) {
      const std::string allocator = cell["allocator"].text();
      // Bursts run in every third repeat.
      ASSERT_EQ(cell["samples"].items().size(), workload == "bursts" ? 1u : 2u);
      const Json& sample = cell["samples"].items()[0];
      EXPECT_EQ(sample["workload"].text(), workload);
      EXPECT_EQ(sample["statistics"].is_null(), allocator == "glibc");
      if (allocator == "glibc") continue;
      // The variant that was asked for is the one that ran, and it alone.
      EXPECT_EQ(sample["statistics"]["backend"].text(),
                allocator.substr(0, allocator.find('-')));
      EXPECT_EQ(sample["libc_malloc_bytes"].number(), 0);
    }
  }
}

TEST(Ace, BadInputIsOneLineAndStatusTwo) {
  for (const char* const bad :
       {"--no-such-flag", "--repeats=none", "--only=nobody", "--effort=0",
        "--workloads=nothing", "--peer=x=/nowhere/lib.so",
        "--peer=segment-ace_off=/etc/passwd", "--out=/proc/nowhere"}) {
    EXPECT_TRUE(IsOneLineAndStatusTwo(RunProgram(kAce, {bad}))) << bad;
  }
}

TEST(Ace, HelpListsTheWorkloads) {
  const ProcessResult result = RunProgram(kAce, {"--help"});
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(Contains(result.output, "steady-64,steady-4096,phase-shift"));
}

TEST(Ace, AnAllocatorThatBreaksBlocksIsNamedAndTheOthersGoOn) {
  for (const char* const workload : {"steady-64", "phase-shift"}) {
    const ProcessResult result =
        RunProgram(kAce, {std::string("--workloads=") + workload, "--repeats=2",
                          "--effort=1", "--only=glibc,broken",
                          "--peer=broken=" + BrokenMalloc()});
    EXPECT_EQ(result.ending, ProcessResult::kExited);
    EXPECT_EQ(result.code, 1) << result.Describe() << result.output;
    EXPECT_TRUE(
        Contains(result.output, std::string("FAILED: broken: ") + workload))
        << result.output;
    EXPECT_TRUE(Contains(result.output, "no longer holds what was written"))
        << result.output;
    EXPECT_TRUE(Contains(result.output, "medians of 2 runs"));
  }
}

}  // namespace
}  // namespace hakmem::bench
