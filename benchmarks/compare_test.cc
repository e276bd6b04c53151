// The whole tool, end to end, with few operations.
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/harness/json.h"
#include "benchmarks/testing/program_test_helper.h"
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
    }
  }
}

// What a small run of the suite writes to `out`.
ProcessResult RunSmallSuite(const std::string& out,
                            std::vector<std::string> more = {}) {
  more.insert(more.begin(),
              {"--suite=quick", "--effort=1", "--repeats=2",
               "--workloads=random-mixed-256,random-mixed-2-threads,steady-64",
               "--only=segment,segment-ace_off,glibc", "--out", out});
  return RunCompare(more);
}

TEST(Compare, RunsASuiteAndWritesFiles) {
  const std::string out = testing::TempDir() + "/suite/out";
  const ProcessResult result = RunSmallSuite(out);
  ASSERT_TRUE(result.ok()) << result.Describe() << result.output;
  for (const char* const part :
       {"small: random-mixed-256", "threads: random-mixed-2-threads",
        "large: steady-64", "Geometric means", "Asked and reached",
        "Where segment is not the fastest", "x leanest"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  EXPECT_TRUE(Contains(ReadFile(out + "/compare.html"), "</html>"));
  const std::string markdown = ReadFile(out + "/compare.md");
  EXPECT_TRUE(Contains(markdown, "## large: steady-64"));
  EXPECT_TRUE(Contains(markdown, "-- --suite=quick --effort=1"));
  // Nothing in them tells where anything lies here.
  EXPECT_FALSE(Contains(markdown, testing::TempDir()));
  const std::string text = ReadFile(out + "/compare.json");
  EXPECT_FALSE(Contains(text, testing::TempDir()));
  const auto json = Json::Parse(text);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["suite"].text(), "quick");
  ASSERT_EQ((*json)["cases"].items().size(), 3u);
  for (const Json& a_case : (*json)["cases"].items()) {
    // The floor takes part in random-mixed, the pool's variant in large alone.
    std::set<std::string> who = {"glibc", "segment"};
    who.insert(a_case["kind"].text() == "large" ? "segment-ace_off" : "floor");
    for (const Json& cell : a_case["results"].items()) {
      EXPECT_EQ(cell["samples"].items().size(), 2u);
      EXPECT_EQ(who.erase(cell["allocator"].text()), 1u);
    }
    EXPECT_TRUE(who.empty());
  }
}

TEST(Compare, NamesARegressionAgainstAFormerResult) {
  const std::string out = testing::TempDir() + "/against";
  ASSERT_TRUE(RunSmallSuite(out).ok());
  const std::string former = out + "/compare.json";
  // As if all had been ten times as lean before.
  std::string text = ReadFile(former);
  const std::string key = "\"peak_rss_kib\": ";
  for (size_t at = 0; (at = text.find(key, at)) != std::string::npos;) {
    at += key.size();
    text.erase(text.find_first_not_of("0123456789", at) - 1, 1);
  }
  std::ofstream(former) << text;
  const ProcessResult result =
      RunSmallSuite(out + "/new", {"--against", former});
  EXPECT_EQ(result.code, 1) << result.Describe();
  EXPECT_TRUE(Contains(result.output, "REGRESSION")) << result.output;
  EXPECT_TRUE(Contains(result.output, "peak RSS"));
  EXPECT_FALSE(Contains(result.output, "FAILED"));
}

TEST(Compare, AFormerResultThatDoesNotFitIsRefused) {
  const std::string folder = testing::TempDir() + "/refused";
  ASSERT_TRUE(RunSmallSuite(folder).ok());
  const std::string former = "--against=" + folder + "/compare.json";
  const std::string html = "--against=" + folder + "/compare.html";
  const std::vector<std::vector<std::string>> all_bad = {
      {"--suite=full", former},
      {"--suite=quick", former},  // of another effort
      {"--suite=quick", html},
      {"--suite=quick", "--against=/nowhere/x.json"},
      {"--suite=quick", "--against=/proc"}};
  for (const auto& bad : all_bad) {
    EXPECT_TRUE(IsOneLineAndStatusTwo(RunCompare(bad))) << bad[1];
  }
}

TEST(Compare, AnAllocatorThatBreaksBlocksFailsInItsWorkloadsOnly) {
  const ProcessResult result = RunCompare(
      {"--suite=quick", "--effort=1", "--repeats=2", "--only=glibc,broken",
       "--workloads=steady-64,steady-4096", "--peer=broken=" + BrokenMalloc()});
  EXPECT_EQ(result.ending, ProcessResult::kExited);
  EXPECT_EQ(result.code, 1) << result.Describe() << result.output;
  for (const char* const workload : {"steady-64", "steady-4096"}) {
    EXPECT_TRUE(
        Contains(result.output, std::string("FAILED: broken: ") + workload))
        << result.output;
  }
  EXPECT_TRUE(Contains(result.output, "no longer holds what was written"));
  EXPECT_TRUE(Contains(result.output, "medians of 2 runs"));
}

TEST(Compare, APeerGetsItsEnvironment) {
  // That the child sees it is tested in process_test.
  const ProcessResult result = RunCompare(
      {"--sets=64", "--threads=1", "--repeats=1", "--ops=1000",
       "--only=glibc,mine", "--peer=mine=" + Here("libhakmem-segment.so"),
       "--peer-env=mine:HAKMEM_TEST_VARIABLE=17"});
  ASSERT_TRUE(result.ok()) << result.Describe();
  EXPECT_TRUE(Contains(result.output, "with HAKMEM_TEST_VARIABLE=17"));
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
      {"--peer-env=glibc:A=1"},
      {"--peer-env=nobody:A=1"},
      {"--suite=quick", "--sets=256"},
      {"--suite=full", "--workloads=nothing"},
      {"--kinds=small"},
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
