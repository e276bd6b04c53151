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
  Case a_case;
  a_case.key = a_case.title = a_case.worker = name;
  a_case.limit = std::chrono::seconds(20);
  return a_case;
}

// Three allocators; scripts tell them apart by $WHO.
Measurements MakeRun(std::vector<Case> cases) {
  Measurements measurements;
  for (const char* const name : {"one", "two", "three"}) {
    Allocator allocator{.key = name, .title = name};
    allocator.environment = {std::string("WHO=") + name};
    measurements.allocators.push_back(std::move(allocator));
  }
  measurements.cases = std::move(cases);
  return measurements;
}

uint64_t RunRepeats(uint64_t repeats, Measurements& measurements) {
  Interrupt interrupt;
  return RunAll({testing::TempDir(), repeats, 0}, interrupt, measurements);
}

// Good samples of an allocator in a case.
size_t Count(const Measurements& measurements, size_t who, size_t a_case) {
  size_t count = 0;
  for (const Sample& sample : measurements.samples) {
    count += sample.allocator == who && sample.a_case == a_case &&
             sample.failure.empty();
  }
  return count;
}

std::string Failure(const Measurements& measurements, size_t who,
                    size_t a_case) {
  for (const Sample& sample : measurements.samples) {
    if (sample.allocator == who && sample.a_case == a_case &&
        !sample.failure.empty()) {
      return sample.failure;
    }
  }
  return "";
}

bool AnyFailure(const Measurements& measurements) {
  for (const Sample& sample : measurements.samples) {
    if (!sample.failure.empty()) return true;
  }
  return false;
}

std::string Print() { return std::string("echo ") + kLine; }

TEST(RunAll, RunsEachContenderInEachRepeat) {
  Measurements results = MakeRun({ScriptCase("good", Print())});
  EXPECT_EQ(RunRepeats(3, results), 3u);
  for (size_t who = 0; who < 3; ++who) {
    EXPECT_EQ(Count(results, who, 0), 3u);
  }
  EXPECT_EQ(results.samples[0].values["ns"], 2);
}

TEST(RunAll, SomeCasesAndContendersRunLessOften) {
  Case rare = ScriptCase("rare", Print());
  rare.every = 2;
  Measurements results = MakeRun({rare});
  results.allocators[1].role = Allocator::kFloor;  // and the case has none
  RunRepeats(3, results);
  EXPECT_EQ(Count(results, 0, 0), 2u);
  EXPECT_EQ(Count(results, 1, 0), 0u);
}

// Fails for one allocator from the second seed on.
std::vector<Case> OneFails() {
  return {ScriptCase("fails",
                     "test $WHO = two && test $1 = --seed=2 && "
                     "echo it breaks >&2 && exit 1; " +
                         Print()),
          ScriptCase("good", Print())};
}

TEST(RunAll, AFailureIsOfItsCase) {
  Measurements results = MakeRun(OneFails());
  RunRepeats(3, results);
  EXPECT_EQ(Failure(results, 1, 0), "exit status 1: it breaks");
  EXPECT_EQ(Count(results, 1, 0), 0u);
  EXPECT_EQ(Count(results, 1, 1), 3u);
  EXPECT_EQ(Count(results, 0, 0), 3u);
  EXPECT_TRUE(AnyFailure(results));
}

TEST(RunAll, ExitStatusThreeTakesTheCaseOutForAll) {
  Measurements results = MakeRun(
      {ScriptCase(
           "cannot",
           "test $WHO = two && echo no such program >&2 && exit 3; " + Print()),
       ScriptCase("good", Print())});
  RunRepeats(2, results);
  EXPECT_EQ(results.absences[0], "no such program");
  EXPECT_FALSE(AnyFailure(results));
  for (size_t who = 0; who < 3; ++who) {
    EXPECT_EQ(Count(results, who, 0), 0u);
    EXPECT_EQ(Count(results, who, 1), 2u);
  }
}

TEST(RunAll, AWorkerThatIsNotThereIsNobodysFailure) {
  Case missing;
  missing.key = "missing";
  missing.worker = "no/such/worker";
  Measurements results = MakeRun({missing});
  RunRepeats(2, results);
  EXPECT_EQ(results.absences[0], "there is no program no/such/worker");
  EXPECT_FALSE(AnyFailure(results));
}

TEST(RunAll, NonsenseAndHangingAreFailures) {
  Case hangs = ScriptCase("hangs", "sleep 100");
  hangs.limit = std::chrono::milliseconds(200);
  Measurements results = MakeRun({ScriptCase("nonsense", "echo hello"), hangs});
  RunRepeats(1, results);
  EXPECT_EQ(Failure(results, 0, 0), "the worker printed no valid result");
  EXPECT_EQ(Failure(results, 2, 1), "took too long");
}

TEST(DurationText, IsReadable) {
  EXPECT_EQ(DurationText(0.4), "0 s");
  EXPECT_EQ(DurationText(59), "59 s");
  EXPECT_EQ(DurationText(80), "1 min 20 s");
  EXPECT_EQ(DurationText(3720), "1 h 2 min");
}

}  // namespace
}  // namespace hakmem::bench
