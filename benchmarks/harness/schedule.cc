#include "benchmarks/harness/schedule.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/harness/sample.h"
#include "benchmarks/worker/warm_memory.h"

namespace hakmem::bench {
namespace {

using std::chrono::steady_clock;

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

class Progress {
 public:
  // `limit_seconds` as --seconds: no further repeat begins after it.
  Progress(uint64_t repeats, size_t runs, uint64_t limit_seconds)
      : repeats_(repeats),
        limit_seconds_(static_cast<double>(limit_seconds)),
        runs_(runs),
        is_terminal_(isatty(STDERR_FILENO) != 0) {}

  // Called before each run.
  void Show(uint64_t repeat, const std::string& what) {
    if (is_terminal_) {
      // Back to the start of the line, and nothing left of the old one.
      absl::FPrintF(stderr, "\r[%d/%d] repeat %d of %d: %s%s\033[K", done_ + 1,
                    runs_, repeat + 1, repeats_, what, Remaining());
      std::fflush(stderr);
    }
    ++done_;
  }

  void EndRepeat(uint64_t repeat) {
    if (is_terminal_) return;
    absl::FPrintF(stderr, "repeat %d of %d done after %.0f s\n", repeat + 1,
                  repeats_, SecondsSince(start_));
  }

  ~Progress() {
    if (is_terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  std::string Remaining() const {
    if (done_ < 5) return "";
    const double elapsed = SecondsSince(start_);
    double seconds = elapsed / static_cast<double>(done_) *
                     static_cast<double>(runs_ - done_);
    if (limit_seconds_ > 0) {
      seconds = std::min(seconds, std::max(limit_seconds_ - elapsed, 0.0));
    }
    return absl::StrFormat(", about %.0f s left", seconds);
  }

  const uint64_t repeats_;
  const double limit_seconds_;  // 0: none
  const size_t runs_;
  const bool is_terminal_;
  const steady_clock::time_point start_ = steady_clock::now();
  size_t done_ = 0;
};

bool TakesPart(const Results& results, size_t who, size_t a_case) {
  return results.absence(a_case).empty() &&
         !results.cases()[a_case].LeavesOut(results.contenders()[who].name);
}

// How many runs the plan has at most.
size_t CountRuns(const Plan& plan, const Results& results) {
  size_t runs = 0;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    const uint64_t every = results.cases()[c].every;
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      if (!TakesPart(results, who, c)) continue;
      runs += (plan.repeats + every - 1) / every;
    }
  }
  return runs;
}

// A worker that is not there is nobody's failure.
void FindWorkers(const Plan& plan, Results& results) {
  for (size_t c = 0; c < results.cases().size(); ++c) {
    const std::string& worker = results.cases()[c].worker;
    if (access(absl::StrCat(plan.root, "/", worker).c_str(), X_OK) != 0) {
      results.SetAbsent(c, absl::StrCat("there is no program ", worker));
    }
  }
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// One run of a contender in a case; false when it was interrupted.
bool RunOne(const Plan& plan, uint64_t repeat, size_t who, size_t a_case,
            Interrupt& interrupt, Results& results) {
  const Case& where = results.cases()[a_case];
  const Contender& contender = results.contenders()[who];
  std::vector<std::string> command = where.arguments;
  command.insert(command.begin(), absl::StrCat(plan.root, "/", where.worker));
  // All contenders meet the same steps in a repeat.
  command.push_back(absl::StrCat("--seed=", repeat + 1));
  if (contender.kind == Contender::kFloor) command.push_back("--floor");
  WarmMemory(where.warm_mib);
  const ProcessResult result =
      RunProcess(command, contender.library, where.limit, interrupt,
                 contender.environment);
  if (result.ending == ProcessResult::kInterrupted) return false;
  if (result.ending == ProcessResult::kExited &&
      result.code == kCannotRunHere) {
    results.SetAbsent(a_case, FirstLine(result.errors));
    return true;
  }
  std::optional<Sample> sample =
      result.ok() ? Sample::Parse(result.output) : std::nullopt;
  if (sample.has_value()) {
    results.Add(who, a_case, *std::move(sample));
    return true;
  }
  results.SetFailure(
      who, a_case,
      result.ok() ? "the worker printed no valid result" : result.Describe());
  // Where failures are told case by case, a case is failed or measured.
  if (!plan.failure_ends) results.Forget(who, a_case);
  return true;
}

}  // namespace

uint64_t RunAll(const Plan& plan, Interrupt& interrupt, Results& results) {
  FindWorkers(plan, results);
  const size_t contenders = results.contenders().size();
  const std::vector<Case>& cases = results.cases();
  std::vector<bool> has_failed(contenders);
  Progress progress(plan.repeats, CountRuns(plan, results), plan.seconds);
  const auto start = steady_clock::now();
  for (uint64_t repeat = 0; repeat < plan.repeats; ++repeat) {
    if (plan.seconds != 0 &&
        SecondsSince(start) >= static_cast<double>(plan.seconds)) {
      return repeat;
    }
    for (size_t c = 0; c < cases.size(); ++c) {
      if (repeat % cases[c].every != 0) continue;
      for (size_t i = 0; i < contenders; ++i) {
        const size_t who = (i + repeat) % contenders;
        if (!TakesPart(results, who, c)) continue;
        progress.Show(repeat, absl::StrCat(cases[c].Name(), ", ",
                                           results.contenders()[who].name));
        const bool is_out = plan.failure_ends
                                ? has_failed[who]
                                : !results.failure(who, c).empty();
        if (is_out) continue;
        if (!RunOne(plan, repeat, who, c, interrupt, results)) {
          return repeat + 1;
        }
        if (!results.failure(who, c).empty()) has_failed[who] = true;
      }
    }
    progress.EndRepeat(repeat);
  }
  return plan.repeats;
}

}  // namespace hakmem::bench
