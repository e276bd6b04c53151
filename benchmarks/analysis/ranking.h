// How allocators stand to one another: in a case, and over many of them by
// geometric means.
//
// A ratio is one median over another; below 1 means less time or less memory.
// Peers are all that are neither HAKMEM nor the floor.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_RANKING_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_RANKING_H_

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/cells.h"

namespace hakmem::bench {

// A case in which somebody is not first.
struct Behind {
  size_t a_case;
  size_t first;       // the allocator that is
  double ratio;       // over the first's
  bool beyond_noise;  // the intervals do not overlap
};

class Ranking {
 public:
  // `cells` must outlive this.
  explicit Ranking(const Cells& cells);

  const Cells& cells() const { return cells_; }
  const Measurements& measurements() const { return cells_.measurements(); }

  // Cases of those kinds, or of all, in which anything was measured or failed.
  std::vector<size_t> CasesOf(const std::vector<std::string>& kinds) const;
  // HAKMEM's back-ends as users get them: what verdicts are on.
  const std::vector<size_t>& judged() const { return judged_; }

  // By the case's time, where that says something.
  std::optional<size_t> FastestPeer(size_t a_case) const {
    return fastest_[a_case];
  }
  // By peak memory, without glibc.
  std::optional<size_t> LeanestPeer(size_t a_case) const {
    return leanest_[a_case];
  }

  // Time of an operation beyond that of the floor, in ns.
  std::optional<double> AboveFloor(size_t a_case, size_t who) const;

  // Nothing unless both were measured; in a case that is not timed there is no
  // ratio of times.
  std::optional<double> Ratio(size_t a_case, std::string_view metric,
                              size_t one, size_t other) const;
  // Geometric means over those of `cases` that have a ratio.
  std::optional<double> Mean(const std::vector<size_t>& cases,
                             std::string_view metric, size_t one,
                             size_t other) const;
  // Peak memory over that of the leanest peer of each case.
  std::optional<double> MeanOverLeanest(const std::vector<size_t>& cases,
                                        size_t who) const;
  // Peak memory over the lowest among the three fastest of this allocator and
  // all peers: what those hold that pay with time is no measure.
  std::optional<double> PeakOverLeanestOfFastest(size_t a_case,
                                                 size_t who) const;

  // The peer whose times over `cases` are the lowest: by the geometric mean,
  // among those that were measured in the most of them.
  std::optional<size_t> BestSinglePeer(const std::vector<size_t>& cases) const;

  // Where the allocator is behind in time (kTime) or in memory (kPeak), the
  // worst first. In memory, the first is the leanest peer, and a lead of less
  // than half a percent is none.
  std::vector<Behind> BehindIn(std::string_view metric, size_t who) const;

  // Whether the interval of one lies above the other's.
  bool IsClearlyAbove(size_t a_case, std::string_view metric, size_t one,
                      size_t other) const;

 private:
  const Cells& cells_;
  std::optional<size_t> floor_;
  std::vector<size_t> judged_;
  std::vector<std::optional<size_t>> fastest_;  // by case
  std::vector<std::optional<size_t>> leanest_;  // by case
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_RANKING_H_
