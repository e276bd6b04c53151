// Everything measured: samples by case and contender, and what they amount to.
#ifndef HAKMEM_BENCHMARKS_RESULTS_H_
#define HAKMEM_BENCHMARKS_RESULTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/contenders.h"
#include "benchmarks/sample.h"
#include "benchmarks/statistics.h"

namespace hakmem::bench {

// A case is what the contenders run: random-mixed with a working set on a
// number of threads, or a named workload.
struct Case {
  uint64_t slots;  // of random-mixed; 0 for named workloads
  uint64_t threads;
  std::string workload = {};   // empty: random-mixed
  std::string operation = {};  // of a named workload: what one is, for people
  uint64_t every = 1;          // runs in every so many repeats

  // One thread is measured in CPU time, which a busy machine disturbs least;
  // threads are there to save wall time, so that is what counts for them.
  bool by_cpu_time() const { return threads == 1; }
  // "8192 slots, 2 threads", or the name
  std::string Name() const;
};

// One contender in one case. Medians over the repeats unless said otherwise.
struct Summary {
  Spread mops;  // million operations per second, all threads together
  // Time of one core per operation; of a named workload simply the time, since
  // its threads may share in an operation.
  Spread ns;
  Spread peak_rss_kib;
  double minor_faults = 0;
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
        failures_(contenders_.size()) {}

  const std::vector<Contender>& contenders() const { return contenders_; }
  const std::vector<Case>& cases() const { return cases_; }

  void Add(size_t contender, size_t a_case, Sample sample) {
    cells_[Index(contender, a_case)].push_back(std::move(sample));
  }
  const std::vector<Sample>& samples(size_t contender, size_t a_case) const {
    return cells_[Index(contender, a_case)];
  }

  // A contender that failed takes no further part; `why` is one line.
  void SetFailure(size_t contender, std::string why) {
    failures_[contender] = std::move(why);
  }
  const std::string& failure(size_t contender) const {
    return failures_[contender];
  }
  bool any_failure() const;

  // Nothing when there are no samples.
  std::optional<Summary> Summarize(size_t contender, size_t a_case) const;

  // Index of the case, or nothing when it was not to be measured.
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
  std::vector<std::string> failures_;
};

// A case as the reports show it: the summaries of all contenders (by index;
// empty where there is nothing) set against one another.
class Comparison {
 public:
  Comparison(const Results& results, size_t a_case);

  const std::optional<Summary>& summary(size_t contender) const {
    return summaries_[contender];
  }
  // Nanoseconds per operation above the floor's.
  std::optional<double> AboveFloor(size_t contender) const;
  // Throughput as a multiple of glibc's, and of the best allocator's that is
  // not HAKMEM's.
  std::optional<double> AgainstGlibc(size_t contender) const;
  std::optional<double> AgainstBestPeer(size_t contender) const;
  // Peak resident memory over the lowest among the three fastest of this
  // contender and all allocators that are not HAKMEM's: what its speed costs
  // that others do not pay.
  std::optional<double> PeakAgainstLeanest(size_t contender) const;
  // Contenders that were measured, the floor first, then the fastest first.
  std::vector<size_t> Ranking() const;
  // The most repeats that any has.
  size_t repeats() const;

 private:
  std::optional<double> Against(size_t contender,
                                std::optional<size_t> other) const;

  std::vector<std::optional<Summary>> summaries_;
  std::optional<size_t> floor_;
  std::optional<size_t> glibc_;
  std::optional<size_t> best_peer_;
  std::vector<size_t> peers_;  // all that are measured and not HAKMEM's
};

// Throughput with few slots over throughput with many (1 means none lost).
std::optional<double> Degradation(const Results& results, size_t contender,
                                  uint64_t few, uint64_t many,
                                  uint64_t threads);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_RESULTS_H_
