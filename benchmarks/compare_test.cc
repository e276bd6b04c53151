// The whole tool, end to end, with few operations.
#include <chrono>
#include <string>
#include <vector>

#include "benchmarks/json.h"
#include "benchmarks/process.h"
#include "benchmarks/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

ProcessResult RunCompare(const std::vector<std::string>& arguments) {
  return RunProgram("benchmarks/compare", arguments);
}

TEST(Compare, MeasuresReportsAndWritesFiles) {
  const std::string out = testing::TempDir() + "/compare/out";
  const ProcessResult result = RunCompare(
      {"--sets=256,8192", "--threads=1,2", "--repeats=2", "--ops=20000",
       "--only=segment,superslab,glibc", "--out", out});
  ASSERT_TRUE(result.ok()) << result.Describe() << result.output;
  for (const char* const part :
       {"256 slots, 1 thread: CPU time", "8192 slots, 2 threads: wall time",
        "above floor", "asked and reached", "superslab", "glibc", "lookup",
        "fragmentation"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  EXPECT_TRUE(Contains(result.errors, "repeat 2 of 2 done"));
  EXPECT_TRUE(Contains(ReadFile(out + "/compare.html"), "</html>"));

  const auto json = Json::Parse(ReadFile(out + "/compare.json"));
  ASSERT_TRUE(json.has_value());
  ASSERT_EQ((*json)["cases"].items().size(), 4u);
  for (const Json& a_case : (*json)["cases"].items()) {
    ASSERT_EQ(a_case["results"].items().size(), 4u);
    for (const Json& cell : a_case["results"].items()) {
      ASSERT_EQ(cell["samples"].items().size(), 2u);
      const bool is_variant = cell["allocator"].text() == "segment" ||
                              cell["allocator"].text() == "superslab";
      const Json& sample = cell["samples"].items()[0];
      EXPECT_EQ(sample["statistics"].is_null(), !is_variant);
      if (!is_variant) continue;
      // The variant that was asked for is the one that ran, and it alone.
      EXPECT_EQ(sample["statistics"]["backend"].text(),
                cell["allocator"].text());
      EXPECT_EQ(sample["libc_malloc_bytes"].number(), 0);
      EXPECT_EQ(sample["statistics"]["fallbacks"].number(), 0);
      EXPECT_EQ(sample["statistics"]["free_list_faults"].number(), 0);
    }
  }
}

TEST(Compare, BadInputIsOneLineAndStatusTwo) {
  const std::vector<std::vector<std::string>> all_bad = {
      {"--no-such-flag"},
      {"--repeats=none"},
      {"--only=nobody"},
      {"--peer=x=/nowhere/lib.so"},
      {"--peer=x=" + Here("benchmarks/compare_test")},
      {"--peer=x=/etc/passwd"},
      {"--peer=x=/proc"},
      {"--peer=glibc=" + BrokenMalloc()},
      {"--out=/proc/nowhere"},
  };
  for (const auto& bad : all_bad) {
    EXPECT_TRUE(IsOneLineAndStatusTwo(RunCompare(bad))) << bad[0];
  }
}

TEST(Compare, HelpIsNoError) {
  const ProcessResult result = RunCompare({"--help"});
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(Contains(result.output, "--peer"));
}

TEST(Compare, AnAllocatorThatBreaksBlocksIsNamedAndTheOthersGoOn) {
  const ProcessResult result =
      RunCompare({"--sets=1024", "--threads=1", "--repeats=2", "--ops=20000",
                  "--only=glibc,broken", "--peer=broken=" + BrokenMalloc()});
  EXPECT_EQ(result.ending, ProcessResult::kExited);
  EXPECT_EQ(result.code, 1) << result.Describe() << result.output;
  EXPECT_TRUE(Contains(result.output, "FAILED: broken: 1024 slots, 1 thread"))
      << result.output;
  EXPECT_TRUE(Contains(result.output, "no longer holds what was written"));
  EXPECT_TRUE(Contains(result.output, "glibc"));
}

TEST(Compare, CtrlCReportsWhatThereIs) {
  Interrupt interrupt;
  // A background job of a script starts with SIGINT ignored; it must work all
  // the same. The second repeat would take hours.
  const ProcessResult result = RunProcess(
      {"/bin/sh", "-c",
       "benchmarks/compare --sets=64 --threads=1 --only=glibc --repeats=1000 "
       "--ops=20000000 & pid=$!; sleep 2; kill -INT $pid; wait $pid; "
       "echo status $?"},
      "", std::chrono::seconds(120), interrupt);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(Contains(result.output, "Interrupted in repeat"))
      << result.output << result.errors;
  EXPECT_TRUE(Contains(result.output, "64 slots, 1 thread: CPU time"));
  EXPECT_TRUE(Contains(result.output, "status 130")) << result.output;
}

}  // namespace
}  // namespace hakmem::bench
