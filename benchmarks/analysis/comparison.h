// How contenders stand to one another in a case.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_COMPARISON_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "benchmarks/harness/results.h"

namespace hakmem::bench {

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
  // The fastest that is not HAKMEM's, and the one with the lowest peak that is
  // neither HAKMEM's nor glibc (which pays with time for its memory).
  std::optional<size_t> best_peer() const { return best_peer_; }
  std::optional<size_t> leanest_peer() const { return leanest_peer_; }
  // Peak resident memory over the leanest peer's.
  std::optional<double> PeakAgainstLeanestPeer(size_t contender) const;
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
  std::optional<size_t> leanest_peer_;
  std::vector<size_t> peers_;  // all that are measured and not HAKMEM's
};

// Throughput with few slots over throughput with many (1 means none lost).
std::optional<double> Degradation(const Results& results, size_t contender,
                                  uint64_t few, uint64_t many,
                                  uint64_t threads);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_COMPARISON_H_
