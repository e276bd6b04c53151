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
      const std::string line = absl::StrFormat(
          "repeat %d of %d%s: %s", repeat + 1, repeats_, Remaining(), what);
      // Back to the start of the line, and nothing left of the old one. Longer
      // than the terminal is wide, it would not be rewritten.
      absl::FPrintF(stderr, "\r%s\033[K", line.substr(0, kWidth));
      std::fflush(stderr);
    }
    ++done_;
  }

  void EndRepeat(uint64_t repeat) {
    if (is_terminal_) return;
    absl::FPrintF(stderr, "repeat %d of %d done after %s%s\n", repeat + 1,
                  repeats_, DurationText(SecondsSince(start_)), Remaining());
  }

  ~Progress() {
    if (is_terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  static constexpr size_t kWidth = 79;

  // From what runs took so far on average.
  std::string Remaining() const {
    if (done_ < 5 || done_ >= runs_) return "";
    const double elapsed = SecondsSince(start_);
    double seconds = elapsed / static_cast<double>(done_) *
                     static_cast<double>(runs_ - done_);
    if (limit_seconds_ > 0) {
      seconds = std::min(seconds, std::max(limit_seconds_ - elapsed, 0.0));
    }
    return absl::StrCat(", about ", DurationText(seconds), " left");
  }

  const uint64_t repeats_;
  const double limit_seconds_;  // 0: none
  const size_t runs_;
  const bool is_terminal_;
  const steady_clock::time_point start_ = steady_clock::now();
  size_t done_ = 0;
};

class Runner {
 public:
  Runner(const Plan& plan, Interrupt& interrupt, Measurements& measurements)
      : plan_(plan),
        interrupt_(interrupt),
        measurements_(measurements),
        has_failed_(measurements.cases.size() *
                    measurements.allocators.size()) {
    measurements_.absences.resize(measurements_.cases.size());
    FindWorkers();
  }

  bool TakesPart(size_t who, size_t a_case) const {
    return measurements_.absences[a_case].empty() &&
           bench::TakesPart(measurements_.allocators[who],
                            measurements_.cases[a_case]);
  }

  bool HasFailed(size_t who, size_t a_case) const {
    return has_failed_[a_case * measurements_.allocators.size() + who];
  }

  // How many runs the plan has at most.
  size_t CountRuns() const {
    size_t runs = 0;
    for (size_t c = 0; c < measurements_.cases.size(); ++c) {
      const uint64_t every = measurements_.cases[c].every;
      for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
        if (!TakesPart(who, c)) continue;
        runs += (plan_.repeats + every - 1) / every;
      }
    }
    return runs;
  }

  // One run of an allocator in a case; false when it was interrupted.
  bool RunOne(uint64_t repeat, size_t who, size_t a_case) {
    const Case& where = measurements_.cases[a_case];
    const Allocator& allocator = measurements_.allocators[who];
    std::vector<std::string> command = where.arguments;
    command.insert(command.begin(),
                   absl::StrCat(plan_.root, "/", where.worker));
    // All allocators meet the same steps in a repeat.
    command.push_back(absl::StrCat("--seed=", repeat + 1));
    if (allocator.role == Allocator::kFloor) command.push_back("--floor");
    WarmMemory(where.warm_mib);
    const ProcessResult result =
        RunProcess(command, allocator.library, where.limit, interrupt_,
                   allocator.environment);
    if (result.interrupted) return false;
    if (result.ending == ProcessResult::kExited &&
        result.code == kCannotRunHere) {
      SetAbsent(a_case, result.errors.substr(0, result.errors.find('\n')));
      return true;
    }
    std::optional<Sample> sample =
        result.ok() ? ParseWorkerLine(result.output, where, measurements_.cores)
                    : std::nullopt;
    if (!sample.has_value()) {
      Forget(a_case, who);  // a case is failed or measured
      has_failed_[a_case * measurements_.allocators.size() + who] = true;
      sample.emplace().failure = result.ok()
                                     ? "the worker printed no valid result"
                                     : result.Describe();
    }
    sample->a_case = a_case;
    sample->allocator = who;
    sample->repeat = repeat;
    measurements_.samples.push_back(*std::move(sample));
    return true;
  }

 private:
  // A worker that is not there is nobody's failure.
  void FindWorkers() {
    for (size_t c = 0; c < measurements_.cases.size(); ++c) {
      const std::string& worker = measurements_.cases[c].worker;
      if (access(absl::StrCat(plan_.root, "/", worker).c_str(), X_OK) != 0) {
        measurements_.absences[c] =
            absl::StrCat("there is no program ", worker);
      }
    }
  }

  // A case that cannot be run here leaves no samples.
  void SetAbsent(size_t a_case, std::string why) {
    measurements_.absences[a_case] = std::move(why);
    std::erase_if(measurements_.samples, [&](const Sample& sample) {
      return sample.a_case == a_case;
    });
  }

  void Forget(size_t a_case, size_t who) {
    std::erase_if(measurements_.samples, [&](const Sample& sample) {
      return sample.a_case == a_case && sample.allocator == who;
    });
  }

  const Plan& plan_;
  Interrupt& interrupt_;
  Measurements& measurements_;
  std::vector<bool> has_failed_;  // by case and allocator
};

}  // namespace

std::string DurationText(double seconds) {
  const auto whole = static_cast<uint64_t>(std::max(seconds, 0.0) + 0.5);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) {
    return absl::StrCat(whole / 60, " min ", whole % 60, " s");
  }
  return absl::StrCat(whole / 3600, " h ", whole % 3600 / 60, " min");
}

uint64_t RunAll(const Plan& plan, Interrupt& interrupt,
                Measurements& measurements) {
  Runner runner(plan, interrupt, measurements);
  const size_t allocators = measurements.allocators.size();
  const std::vector<Case>& cases = measurements.cases;
  Progress progress(plan.repeats, runner.CountRuns(), plan.seconds);
  const auto start = steady_clock::now();
  for (uint64_t repeat = 0; repeat < plan.repeats; ++repeat) {
    if (plan.seconds != 0 &&
        SecondsSince(start) >= static_cast<double>(plan.seconds)) {
      return repeat;
    }
    for (size_t c = 0; c < cases.size(); ++c) {
      if (repeat % cases[c].every != 0) continue;
      for (size_t i = 0; i < allocators; ++i) {
        const size_t who = (i + repeat) % allocators;
        if (!runner.TakesPart(who, c)) continue;
        progress.Show(repeat, absl::StrCat(cases[c].key, ", ",
                                           measurements.allocators[who].key));
        if (runner.HasFailed(who, c)) continue;
        if (!runner.RunOne(repeat, who, c)) return repeat + 1;
      }
    }
    progress.EndRepeat(repeat);
  }
  return plan.repeats;
}

}  // namespace hakmem::bench
