// Everything measured: samples by case and contender, and what they amount to.
// How contenders stand to one another: comparison.h.
#ifndef HAKMEM_BENCHMARKS_HARNESS_RESULTS_H_
#define HAKMEM_BENCHMARKS_HARNESS_RESULTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/analysis/statistics.h"
#include "benchmarks/harness/case.h"
#include "benchmarks/harness/contenders.h"
#include "benchmarks/harness/sample.h"

namespace hakmem::bench {

// One contender in one case. Medians over the repeats unless said otherwise.
struct Summary {
  Spread mops;  // million operations per second, all threads together
  // Time of one core per operation; of a named workload simply the time, since
  // its threads may share in an operation.
  Spread ns;
  Spread peak_rss_kib;
  double minor_faults = 0;
  double cpu_per_wall = 0;       // how many cores were busy
  std::optional<double> cycles;  // this and the next three: per operation
  std::optional<double> cache_misses;
  std::optional<double> dtlb_misses;
  std::optional<double> instructions;
  std::optional<Books> books;  // the highest of each, but for the bytes
  std::optional<double> fragmentation;
  std::optional<double> libc_malloc_bytes;  // the highest
  std::optional<double> internal_waste;     // these four: as in Sample
  std::optional<double> resident_before_kib;
  std::optional<double> resident_after_kib;
  std::optional<double> live_after_kib;
};

// Where the figures come from; goes into the files of --out.
struct RunInfo {
  std::string suite;                                         // "random-mixed"
  std::string command;                                       // the command line
  std::vector<std::pair<std::string, std::string>> machine;  // label, value
  std::vector<std::string> absent;  // who did not take part, and why
  uint64_t effort = 100;            // percent of the usual work
};

class Results {
 public:
  // `cores`: how many threads can run at once.
  Results(std::vector<Contender> contenders, std::vector<Case> cases,
          uint64_t cores)
      : contenders_(std::move(contenders)),
        cases_(std::move(cases)),
        cores_(cores),
        cells_(contenders_.size() * cases_.size()),
        failures_(cells_.size()),
        absences_(cases_.size()) {}

  const std::vector<Contender>& contenders() const { return contenders_; }
  const std::vector<Case>& cases() const { return cases_; }

  // Tells a case that knows no number of threads which it is.
  void Add(size_t contender, size_t a_case, Sample sample);
  const std::vector<Sample>& samples(size_t contender, size_t a_case) const {
    return cells_[Index(contender, a_case)];
  }
  // Drops the samples.
  void Forget(size_t contender, size_t a_case) {
    cells_[Index(contender, a_case)].clear();
  }

  // A contender that failed in a case; `why` is one line.
  void SetFailure(size_t contender, size_t a_case, std::string why) {
    failures_[Index(contender, a_case)] = std::move(why);
  }
  // Empty when there was none.
  const std::string& failure(size_t contender, size_t a_case) const {
    return failures_[Index(contender, a_case)];
  }
  // "8192 slots, 1 thread: took too long" for each failure of a contender.
  std::vector<std::string> Failures(size_t contender) const;
  bool any_failure() const;

  // A case that cannot be run here leaves no samples; `why` is one line.
  void SetAbsent(size_t a_case, std::string why);
  // Empty when it is not absent.
  const std::string& absence(size_t a_case) const { return absences_[a_case]; }

  // Nothing when there are no samples.
  std::optional<Summary> Summarize(size_t contender, size_t a_case) const;

  uint64_t cores() const { return cores_; }

  // Index of the first such case, or nothing when it was not to be measured.
  std::optional<size_t> FindCase(uint64_t slots, uint64_t threads) const;
  std::optional<size_t> FindCase(const std::string& workload) const;
  // Index of the contender of that name.
  std::optional<size_t> FindContender(const std::string& name) const;

 private:
  size_t Index(size_t contender, size_t a_case) const {
    return contender * cases_.size() + a_case;
  }

  std::vector<Contender> contenders_;
  std::vector<Case> cases_;
  uint64_t cores_;
  std::vector<std::vector<Sample>> cells_;
  std::vector<std::string> failures_;  // as cells_
  std::vector<std::string> absences_;  // by case
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_RESULTS_H_
