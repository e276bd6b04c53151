// How contenders stand over many workloads: geometric means against the best
// single peer, and the workloads in which somebody is not first.
//
// A ratio of times or of peaks is of medians, a contender's over another's;
// below 1 means less time or less memory.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_STANDINGS_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_STANDINGS_H_

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// A workload in which somebody is not first.
struct Behind {
  size_t a_case;
  size_t first;   // the contender that is
  double ratio;   // over the first's
  bool is_clear;  // the intervals do not overlap
};

class Standings {
 public:
  // `results` must outlive this.
  explicit Standings(const Results& results);

  const Results& results() const { return results_; }
  const Comparison& comparison(size_t a_case) const {
    return comparisons_[a_case];
  }

  // Cases of those kinds, or of all, in which anything was measured or failed.
  std::vector<size_t> CasesOf(const std::vector<std::string>& kinds) const;

  // In one case; nothing unless both were measured, or where time says nothing.
  std::optional<double> TimeRatio(size_t a_case, size_t one,
                                  size_t other) const;
  std::optional<double> PeakRatio(size_t a_case, size_t one,
                                  size_t other) const;
  // The fastest peer of the case, where time says something.
  std::optional<size_t> FastestPeer(size_t a_case) const;

  // Geometric means over those of `cases` that both were measured in; nothing
  // when there are none.
  std::optional<double> MeanTimeRatio(const std::vector<size_t>& cases,
                                      size_t one, size_t other) const;
  std::optional<double> MeanPeakRatio(const std::vector<size_t>& cases,
                                      size_t one, size_t other) const;
  // Against the leanest peer of each case (Comparison::leanest_peer).
  std::optional<double> MeanPeakOverLeanest(const std::vector<size_t>& cases,
                                            size_t who) const;

  // The peer, glibc among them, whose times over `cases` are the lowest: by the
  // geometric mean, among those that were measured in the most of them.
  std::optional<size_t> BestSinglePeer(const std::vector<size_t>& cases) const;

  // The worst first. In memory, the first is the leanest peer, and a lead of
  // less than half a percent is none.
  std::vector<Behind> BehindInTime(size_t who) const;
  std::vector<Behind> BehindInMemory(size_t who) const;

 private:
  const Results& results_;
  std::vector<Comparison> comparisons_;  // by case
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_STANDINGS_H_
