// Runs every workload of every worker, small, on a library that is refused
// calls to the operating system: one of them, some, or all from some call on.
//
// One refused call is made up for: the workload ends well, as it would without.
// When more are refused, requests may fail, and then the worker says that
// memory has run out, in one line, and exits with the status for it. If no
// request failed, the workload must have ended well. Nothing is ever damaged,
// and no signal comes out of the allocator. What happened within is told by
// witness_test_helper.cc. Numbers of calls count from each process's start, and
// what a worker starts and forks is refused as it is.
//
//   HAKMEM_TEST_LIBRARY     the library
//   HAKMEM_TEST_SEED=n      which calls are refused
//   HAKMEM_TEST_REPEATS=n   how often each workload runs (1, and slow ones on
//                           some variants only)
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "benchmarks/harness/case.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {

// For the names of tests that fail.
void PrintTo(const Case& a_case, std::ostream* out) { *out << a_case.key; }

namespace {

constexpr int kFailed = 1;     // worker.h's kAllocatorFailed
constexpr int kCannotRun = 3;  // worker.h's
constexpr char kProgramsWorker[] = "programs_worker";
constexpr char kWitness[] = "benchmarks/testing/libwitness_test_helper.so";

uint64_t Environment(const char* name, uint64_t otherwise) {
  const char* const text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

// A file of its own that is gone in the end.
class WitnessFile {
 public:
  WitnessFile() : path_(absl::StrCat(testing::TempDir(), "witness.XXXXXX")) {
    const int file = mkstemp(path_.data());
    EXPECT_GE(file, 0) << path_;
    close(file);
  }
  ~WitnessFile() { unlink(path_.c_str()); }
  WitnessFile(const WitnessFile&) = delete;
  WitnessFile& operator=(const WitnessFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What the processes of a run told.
struct Witness {
  uint64_t refused_calls = 0;
  uint64_t failures = 0;  // processes that had any
  std::string signals;

  explicit Witness(const std::string& text) {
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
      if (absl::StrContains(line, " signal ")) {
        absl::StrAppend(&signals, line, "\n");
      } else if (absl::StrContains(line, " null")) {
        ++failures;
      } else if (absl::StrContains(line, " end ")) {
        refused_calls +=
            strtoull(std::string(words.back()).c_str(), nullptr, 10);
      }
    }
  }
};

bool IsOfPrograms(const Case& a_case) {
  return absl::EndsWith(a_case.worker, kProgramsWorker);
}

// Whether `errors` is one line by which a worker says that it had no memory.
// What another program says of it is its own affair.
bool SaysThatMemoryRanOut(const Case& a_case, const std::string& errors) {
  if (errors.find('\n') != errors.size() - 1) return false;
  if (absl::StrContains(errors, "hakmem[")) return false;
  if (IsOfPrograms(a_case)) return true;
  return absl::StrContains(errors, "out of memory") ||
         absl::StrContains(errors, "cannot start a thread: ");
}

// Who is not refused anything. Refused itself, the worker of programs seldom
// comes to start one.
enum class Spared { kNobody, kProgramsWorker };

class WorkerFaults : public testing::TestWithParam<Case> {
 protected:
  // Seeded by variant and workload, so that shards change nothing.
  WorkerFaults() {
    const std::string& name = GetParam().key;
    std::seed_seq seed(name.begin(), name.end());
    random_.seed(seed);
    random_.discard(1000 * Environment("HAKMEM_TEST_SEED", 1));
  }

  // A number in [1, most], small ones more often than large ones.
  uint64_t Draw(uint64_t most) {
    const uint64_t doubled = 1 + random_() % most;
    return 1 + random_() % doubled;
  }

  // Those that sleep, compile or compress for seconds, or have many blocks.
  static bool IsSlow() {
    static constexpr absl::string_view kSlow[] = {"clang",
                                                  "gxx",
                                                  "git-gc",
                                                  "lognormal-1048576",
                                                  "map",
                                                  "random-mixed-1048576",
                                                  "random-mixed-262144"};
    const Case& a_case = GetParam();
    return a_case.kind == kMemory || a_case.every != 1 ||
           std::find(std::begin(kSlow), std::end(kSlow), a_case.key) !=
               std::end(kSlow);
  }

  std::string SomeRefusals() {
    switch (random_() % 3) {
      case 0:  // every so many
        return absl::StrCat("1,1000000000,", 2 + random_() % 9);
      case 1:  // all for a while
        return absl::StrCat(Draw(40), ",", 2 + Draw(60));
      default:  // all from then on
        return absl::StrCat(Draw(60), ",1000000000");
    }
  }

  // Returns in how many processes requests failed; nothing where the workload
  // cannot run.
  std::optional<uint64_t> Run(const std::string& refused, Spared spared,
                              bool must_end_well) {
    const Case& a_case = GetParam();
    SCOPED_TRACE(absl::StrCat("HAKMEM_TEST_FAIL_OS_CALL=", refused));
    const WitnessFile file;
    std::vector<std::string> arguments = a_case.arguments;
    arguments.insert(arguments.begin(), a_case.worker);
    arguments.push_back("--seed=7");
    Interrupt interrupt;
    const ProcessResult result = RunProcess(
        arguments,
        absl::StrCat(Here(getenv("HAKMEM_TEST_LIBRARY")), ":", Here(kWitness)),
        std::chrono::seconds(60), interrupt,
        {"HAKMEM_TEST_FAIL_OS_CALL=" + refused,
         "HAKMEM_TEST_WITNESS_FILE=" + file.path(),
         spared == Spared::kNobody
             ? "HAKMEM_TEST_SPARED"
             : absl::StrCat("HAKMEM_TEST_SPARED=", kProgramsWorker)});
    if (result.ending == ProcessResult::kExited && result.code == kCannotRun) {
      printf("not run: %s\n", result.errors.c_str());
      return std::nullopt;
    }
    const Witness witness(ReadFile(file.path()));
    EXPECT_EQ(witness.signals, "") << "of the allocator";
    if (must_end_well || witness.failures == 0) {
      EXPECT_EQ(witness.failures, 0u);
      EXPECT_TRUE(result.ok()) << result.Describe();
      EXPECT_EQ(result.errors, "");
    } else if (IsOfPrograms(a_case) &&
               result.ending == ProcessResult::kTimedOut) {
      // A program whose thread failed may wait for that thread for ever.
    } else if (!result.ok()) {
      EXPECT_EQ(result.ending, ProcessResult::kExited) << result.Describe();
      EXPECT_EQ(result.code, kFailed) << result.Describe();
      EXPECT_TRUE(SaysThatMemoryRanOut(a_case, result.errors)) << result.errors;
    }
    printf("%s: %llu calls refused, requests failed in %llu processes: %s\n",
           refused.c_str(),
           static_cast<unsigned long long>(witness.refused_calls),
           static_cast<unsigned long long>(witness.failures),
           result.ok() ? "ended well" : result.Describe().c_str());
    return witness.failures;
  }

  std::mt19937_64 random_;
};

TEST_P(WorkerFaults, EndsWellOrForWantOfMemory) {
  const uint64_t repeats = Environment("HAKMEM_TEST_REPEATS", 1);
  // What is slow is left to the other variants, mostly.
  const bool is_short = IsSlow() && repeats == 1;
  const uint64_t part = random_() % 4;
  for (uint64_t i = 0; i < repeats && !HasFailure(); ++i) {
    if (!is_short || part == 0) {
      Run(absl::StrCat(Draw(24)), Spared::kNobody, /*must_end_well=*/true);
    }
    if (!is_short || part == 1) {
      Run(SomeRefusals(), Spared::kProgramsWorker, /*must_end_well=*/false);
    }
  }
}

// Whether a few small blocks are all that the workload asks for: these are
// served when the system refuses everything (backend/spans/small_reserve.h).
bool TheReserveServes(const Case& workload) {
  return workload.key.starts_with("false-sharing");
}

// So that refusals are met for sure.
TEST_P(WorkerFaults, FailsForWantOfMemoryWhenAllIsRefused) {
  const std::optional<uint64_t> failures =
      Run("1,1000000000", Spared::kNobody, /*must_end_well=*/false);
  EXPECT_EQ(failures == 0u, TheReserveServes(GetParam()));
  if (IsOfPrograms(GetParam())) {
    Run("1,1000000000", Spared::kProgramsWorker, /*must_end_well=*/false);
  }
}

INSTANTIATE_TEST_SUITE_P(AllWorkloads, WorkerFaults,
                         testing::ValuesIn(CatalogueCases(/*quick=*/false,
                                                          /*effort=*/1,
                                                          /*slow_every=*/5)),
                         [](const testing::TestParamInfo<Case>& info) {
                           std::string name = info.param.key;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace hakmem::bench
