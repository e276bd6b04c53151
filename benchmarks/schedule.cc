#include "benchmarks/schedule.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/sample.h"

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

// How many runs the plan has at most.
size_t CountRuns(const Plan& plan, const Results& results) {
  size_t runs = 0;
  for (const Case& a_case : results.cases()) {
    runs += (plan.repeats + a_case.every - 1) / a_case.every *
            results.contenders().size();
  }
  return runs;
}

}  // namespace

uint64_t RunAll(const Plan& plan, Interrupt& interrupt, Results& results) {
  const std::vector<Contender>& contenders = results.contenders();
  const std::vector<Case>& cases = results.cases();
  Progress progress(plan.repeats, CountRuns(plan, results), plan.seconds);
  const auto start = steady_clock::now();
  for (uint64_t repeat = 0; repeat < plan.repeats; ++repeat) {
    if (plan.seconds != 0 &&
        SecondsSince(start) >= static_cast<double>(plan.seconds)) {
      return repeat;
    }
    for (size_t c = 0; c < cases.size(); ++c) {
      if (repeat % cases[c].every != 0) continue;
      for (size_t i = 0; i < contenders.size(); ++i) {
        const size_t who = (i + repeat) % contenders.size();
        const Contender& contender = contenders[who];
        progress.Show(repeat,
                      absl::StrCat(cases[c].Name(), ", ", contender.name));
        if (!results.failure(who).empty()) continue;
        std::vector<std::string> command = plan.arguments(cases[c]);
        command.insert(command.begin(), plan.worker);
        // All contenders meet the same steps in a repeat.
        command.push_back(absl::StrCat("--seed=", repeat + 1));
        if (contender.kind == Contender::kFloor) command.push_back("--floor");
        const ProcessResult result = RunProcess(
            command, contender.library, plan.limit(cases[c]), interrupt);
        if (result.ending == ProcessResult::kInterrupted) return repeat + 1;
        if (!result.ok()) {
          results.SetFailure(
              who, absl::StrCat(cases[c].Name(), ": ", result.Describe()));
          continue;
        }
        std::optional<Sample> sample = Sample::Parse(result.output);
        if (!sample.has_value()) {
          results.SetFailure(
              who, absl::StrCat(cases[c].Name(),
                                ": the worker printed no valid result"));
          continue;
        }
        results.Add(who, c, *std::move(sample));
      }
    }
    progress.EndRepeat(repeat);
  }
  return plan.repeats;
}

}  // namespace hakmem::bench
