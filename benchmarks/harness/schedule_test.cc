// Workers that fail, hang, print nonsense or cannot run: here, small scripts.
#include "benchmarks/harness/schedule.h"

#include <filesystem>
#include <fstream>

#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kLine[] =
    R"('{"threads": 1, "operations": 10, "wall_ns": 20, "cpu_ns": 20,)"
    R"( "peak_rss_kib": 5, "minor_faults": 1}')";

// The script of a worker, and the case that runs it.
Case ScriptCase(const std::string& name, const std::string& script) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
  fs::permissions(path, fs::perms::owner_all);
  Case a_case = {0, 0, name};
  a_case.worker = name;
  a_case.limit = std::chrono::seconds(20);
  return a_case;
}

// Three contenders; scripts tell them apart by $WHO.
Results MakeRun(std::vector<Case> cases) {
  std::vector<Contender> contenders;
  for (const char* const name : {"one", "two", "three"}) {
    contenders.push_back(
        {name, Contender::kGlibc, "", "", {std::string("WHO=") + name}});
  }
  return Results(std::move(contenders), std::move(cases), 2);
}

uint64_t RunRepeats(uint64_t repeats, bool failure_ends, Results& results) {
  Interrupt interrupt;
  return RunAll({testing::TempDir(), repeats, 0, failure_ends}, interrupt,
                results);
}

std::string Print() { return std::string("echo ") + kLine; }

TEST(RunAll, RunsEachContenderInEachRepeat) {
  Results results = MakeRun({ScriptCase("good", Print())});
  EXPECT_EQ(RunRepeats(3, false, results), 3u);
  for (size_t who = 0; who < 3; ++who) {
    EXPECT_EQ(results.samples(who, 0).size(), 3u);
  }
  // The worker has said on how many threads it ran.
  EXPECT_EQ(results.cases()[0].threads, 1u);
}

TEST(RunAll, SomeCasesAndContendersRunLessOften) {
  Case rare = ScriptCase("rare", Print());
  rare.every = 2;
  rare.left_out = {"two"};
  Results results = MakeRun({rare});
  RunRepeats(3, false, results);
  EXPECT_EQ(results.samples(0, 0).size(), 2u);
  EXPECT_EQ(results.samples(1, 0).size(), 0u);
}

// Fails for one contender from the second seed on.
std::vector<Case> OneFails() {
  return {ScriptCase("fails",
                     "test $WHO = two && test $1 = --seed=2 && "
                     "echo it breaks >&2 && exit 1; " +
                         Print()),
          ScriptCase("good", Print())};
}

TEST(RunAll, AFailureIsOfItsCaseWhereTheSuiteSaysSo) {
  Results results = MakeRun(OneFails());
  RunRepeats(3, /*failure_ends=*/false, results);
  EXPECT_EQ(results.failure(1, 0), "exit status 1: it breaks");
  EXPECT_TRUE(results.samples(1, 0).empty());
  EXPECT_EQ(results.samples(1, 1).size(), 3u);
  EXPECT_EQ(results.samples(0, 0).size(), 3u);
  EXPECT_EQ(results.Failures(1),
            std::vector<std::string>({"fails: exit status 1: it breaks"}));
  EXPECT_TRUE(results.any_failure());
}

TEST(RunAll, ElseAFailureEndsItsContendersPart) {
  Results results = MakeRun(OneFails());
  RunRepeats(3, /*failure_ends=*/true, results);
  EXPECT_EQ(results.samples(1, 0).size(), 1u);
  EXPECT_EQ(results.samples(1, 1).size(), 1u);
  EXPECT_EQ(results.samples(0, 1).size(), 3u);
}

TEST(RunAll, ExitStatusThreeTakesTheCaseOutForAll) {
  Results results = MakeRun(
      {ScriptCase(
           "cannot",
           "test $WHO = two && echo no such program >&2 && exit 3; " + Print()),
       ScriptCase("good", Print())});
  RunRepeats(2, false, results);
  EXPECT_EQ(results.absence(0), "no such program");
  EXPECT_FALSE(results.any_failure());
  for (size_t who = 0; who < 3; ++who) {
    EXPECT_TRUE(results.samples(who, 0).empty());
    EXPECT_EQ(results.samples(who, 1).size(), 2u);
  }
}

TEST(RunAll, AWorkerThatIsNotThereIsNobodysFailure) {
  Case missing = {0, 0, "missing"};
  missing.worker = "no/such/worker";
  Results results = MakeRun({missing});
  RunRepeats(2, false, results);
  EXPECT_EQ(results.absence(0), "there is no program no/such/worker");
  EXPECT_FALSE(results.any_failure());
}

TEST(RunAll, NonsenseAndHangingAreFailures) {
  Case hangs = ScriptCase("hangs", "sleep 100");
  hangs.limit = std::chrono::milliseconds(200);
  Results results = MakeRun({ScriptCase("nonsense", "echo hello"), hangs});
  RunRepeats(1, false, results);
  EXPECT_EQ(results.failure(0, 0), "the worker printed no valid result");
  EXPECT_EQ(results.failure(2, 1), "took too long");
}

}  // namespace
}  // namespace hakmem::bench
