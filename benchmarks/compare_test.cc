// The whole tool, end to end, with few operations.
#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

using json = nlohmann::json;

ProcessResult RunCompare(const std::vector<std::string>& arguments) {
  return RunProgram("benchmarks/compare", arguments);
}

// Samples of each allocator, by workload.
std::map<std::string, std::map<std::string, int>> CountSamples(
    const json& result) {
  std::map<std::string, std::map<std::string, int>> counts;
  for (const json& sample : result["samples"]) {
    ++counts[sample["workload"]][sample["allocator"]];
  }
  return counts;
}

TEST(Compare, MeasuresReportsAndWritesFiles) {
  const std::string out = testing::TempDir() + "/compare/out";
  const ProcessResult result = RunCompare(
      {"--sets=256,8192", "--threads=1,2", "--repeats=2", "--ops=20000",
       "--only=segment,superslab,glibc", "--out", out});
  ASSERT_TRUE(result.ok()) << result.Describe() << result.output;
  for (const char* const part :
       {"random-mixed, 256 slots, 1 thread\nCPU time per operation",
        "random-mixed, 8192 slots, 2 threads\nTime of a core", "+floor",
        "Should I switch?", "Goals of the project", "superslab", "glibc",
        "not live"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  EXPECT_TRUE(Contains(result.errors, "repeat 2 of 2 done"));
  EXPECT_FALSE(Contains(result.output, "\033"));  // this is no terminal
  EXPECT_TRUE(Contains(ReadFile(out + "/result.html"), "</html>"));

  const json parsed = json::parse(ReadFile(out + "/result.json"));
  EXPECT_EQ(parsed["suite"]["key"], "default");
  ASSERT_EQ(parsed["workloads"].size(), 4u);
  const auto counts = CountSamples(parsed);
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [workload, allocators] : counts) {
    EXPECT_EQ(
        allocators,
        (std::map<std::string, int>{
            {"floor", 2}, {"segment", 2}, {"superslab", 2}, {"glibc", 2}}))
        << workload;
  }
  for (const json& sample : parsed["samples"]) {
    const bool ours =
        sample["allocator"] == "segment" || sample["allocator"] == "superslab";
    EXPECT_EQ(sample["values"].contains("chunks"), ours);
    if (ours) {
      EXPECT_EQ(sample["values"]["libc_malloc"], 0);
    }
  }
  // The variant that was asked for is the one that ran, and it alone.
  for (const json& allocator : parsed["allocators"]) {
    if (allocator["role"] != "ours") continue;
    EXPECT_TRUE(Contains(allocator["version"], allocator["key"]))
        << allocator["version"];
  }
}

// What a small run of the suite writes to `out`.
ProcessResult RunSmallSuite(const std::string& out,
                            std::vector<std::string> more = {}) {
  more.insert(more.begin(),
              {"--suite=quick", "--effort=1", "--repeats=2",
               "--workloads=random-mixed-256,random-mixed-2-threads,steady-64",
               "--only=segment,glibc", "--out", out});
  return RunCompare(more);
}

TEST(Compare, RunsASuiteAndWritesFiles) {
  const std::string out = testing::TempDir() + "/suite/out";
  const ProcessResult result = RunSmallSuite(out);
  ASSERT_TRUE(result.ok()) << result.Describe() << result.output;
  for (const char* const part :
       {"small: random-mixed, 256 slots", "threads: random-mixed, 1024 slots",
        "large: steady-64", "Goals of the project", "x lean"}) {
    EXPECT_TRUE(Contains(result.output, part)) << part;
  }
  const std::string markdown = ReadFile(out + "/result.md");
  for (const char* const part :
       {"## large: steady-64", "-- --suite=quick --effort=1", "Geometric means",
        "Where segment is not the fastest"}) {
    EXPECT_TRUE(Contains(markdown, part)) << part;
  }
  // Nothing in them tells where anything lies here.
  EXPECT_FALSE(Contains(markdown, testing::TempDir()));
  const std::string text = ReadFile(out + "/result.json");
  EXPECT_FALSE(Contains(text, testing::TempDir()));
  const json parsed = json::parse(text);
  EXPECT_EQ(parsed["suite"]["key"], "quick");
  ASSERT_EQ(parsed["workloads"].size(), 3u);
  for (const auto& [workload, allocators] : CountSamples(parsed)) {
    // The floor takes part in random-mixed.
    std::map<std::string, int> who = {{"glibc", 2}, {"segment", 2}};
    if (workload != "steady-64") who["floor"] = 2;
    EXPECT_EQ(allocators, who) << workload;
  }
}

TEST(Compare, SaysWhichVariantsAreNotBuiltAndHowToBuildThem) {
  // Wanted: the run goes on without them.
  const ProcessResult quick = RunCompare(
      {"--suite=quick", "--effort=1", "--repeats=1", "--workloads=steady-64"});
  EXPECT_TRUE(quick.ok()) << quick.Describe();
  EXPECT_TRUE(Contains(quick.output, "segment-ace_fixed: not built"));
  // Needed, or asked for by name.
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--suite=ace"},
                                             {"--only=segment-full"}}) {
    const ProcessResult result = RunCompare(arguments);
    EXPECT_TRUE(IsOneLineAndStatusTwo(result));
    EXPECT_TRUE(Contains(result.errors, "./bazelw run //benchmarks:"))
        << result.errors;
  }
}

TEST(Compare, NamesARegressionAgainstAFormerResult) {
  const std::string out = testing::TempDir() + "/against";
  ASSERT_TRUE(RunSmallSuite(out).ok());
  const std::string former = out + "/result.json";
  // As if segment had been ten times as lean before.
  json parsed = json::parse(ReadFile(former));
  for (json& cell : parsed["analysis"]["cells"]) {
    if (cell["allocator"] != "segment") continue;
    for (const char* const key : {"value", "low", "high"}) {
      json& value = cell["metrics"]["peak_rss"][key];
      value = value.get<double>() / 10;
    }
  }
  std::ofstream(former) << parsed;
  const ProcessResult result =
      RunSmallSuite(out + "/new", {"--against", former});
  EXPECT_EQ(result.code, 1) << result.Describe();
  for (const char* const part : {"Against result.json", "worse", "peak_rss"}) {
    EXPECT_TRUE(Contains(result.output, part)) << result.output;
    EXPECT_TRUE(Contains(ReadFile(out + "/new/result.md"), part));
  }
  EXPECT_FALSE(Contains(result.output, "FAILED"));
}

TEST(Compare, AFormerResultThatDoesNotFitIsRefused) {
  const std::string folder = testing::TempDir() + "/refused";
  ASSERT_TRUE(RunSmallSuite(folder).ok());
  const std::string former = "--against=" + folder + "/result.json";
  const std::string html = "--against=" + folder + "/result.html";
  const std::string of_before = folder + "/compare.json";
  std::ofstream(of_before) << R"({"suite": "quick", "cases": []})";
  const std::vector<std::vector<std::string>> all_bad = {
      {"--suite=quick", "--against=" + of_before},
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
  EXPECT_TRUE(Contains(result.output, "Runs: 2."));
}

TEST(Compare, APeerGetsItsEnvironment) {
  // That the child sees it is tested in process_test.
  const std::string out = testing::TempDir() + "/environment";
  const ProcessResult result = RunCompare(
      {"--sets=64", "--threads=1", "--repeats=1", "--ops=1000", "--out", out,
       "--only=glibc,mine", "--peer=mine=" + Here("libhakmem-segment.so"),
       "--peer-env=mine:HAKMEM_TEST_VARIABLE=17"});
  ASSERT_TRUE(result.ok()) << result.Describe();
  EXPECT_TRUE(
      Contains(ReadFile(out + "/result.md"), "with HAKMEM_TEST_VARIABLE=17"));
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
  EXPECT_TRUE(Contains(result.output, "FAILED: broken: random-mixed-1024"))
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
  EXPECT_TRUE(Contains(result.output, "64 slots, 1 thread\nCPU time"));
  EXPECT_TRUE(Contains(result.output, "status 130")) << result.output;
}

}  // namespace
}  // namespace hakmem::bench
