// The whole tool, end to end, with little work.
#include <map>
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

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
       {"large: steady-64\nCPU time", "large: messages\nWall time",
        "Goals of the project", "segment-ace_fixed", "superslab-ace_off",
        "glibc", "waste"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  EXPECT_TRUE(Contains(result.errors, "repeat 2 of 2 done"));
  EXPECT_TRUE(Contains(ReadFile(out + "/result.html"), "</html>"));

  using nlohmann::json;
  const json parsed = json::parse(ReadFile(out + "/result.json"));
  EXPECT_EQ(parsed["suite"]["key"], "ace");
  EXPECT_EQ(parsed["command"].get<std::string>().find("ace --repeats=2"), 0u);
  ASSERT_EQ(parsed["workloads"].size(), 6u);
  std::map<std::string, int> counts;
  for (const json& sample : parsed["samples"]) {
    ++counts[sample["workload"]];
    const bool ours = sample["allocator"] != "glibc";
    EXPECT_EQ(sample["values"].contains("chunks"), ours);
    if (ours) {
      EXPECT_EQ(sample["values"]["libc_malloc"], 0);
    }
  }
  for (const auto& [workload, count] : counts) {
    // Bursts run in every third repeat.
    EXPECT_EQ(count, workload == "bursts" ? 4 : 8) << workload;
  }
  // The variant that was asked for is the one that ran.
  for (const json& allocator : parsed["allocators"]) {
    if (allocator["role"] != "ours") continue;
    EXPECT_TRUE(Contains(allocator["version"], allocator["back_end"]));
    EXPECT_TRUE(Contains(allocator["version"], allocator["ace"]));
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

TEST(Ace, HelpIsNoError) {
  const ProcessResult result = RunProgram(kAce, {"--help"});
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(Contains(result.output, "--workloads"));
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
    EXPECT_TRUE(Contains(result.output, "Runs: 2."));
  }
}

}  // namespace
}  // namespace hakmem::bench
