#include "benchmarks/analysis/criteria.h"

#include <algorithm>

#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {
namespace {

bool Holds(double value, Bound bound, double limit) {
  switch (bound) {
    case Bound::kAtMost:
      return value <= limit;
    case Bound::kAtLeast:
      return value >= limit;
    case Bound::kBelow:
      return value < limit;
  }
  return false;
}

std::optional<double> Higher(std::optional<double> one,
                             std::optional<double> other) {
  if (!one.has_value() || !other.has_value())
    return one.has_value() ? one : other;
  return std::max(*one, *other);
}

class Meter {
 public:
  Meter(const Criterion& criterion, std::vector<size_t> cases,
        const Ranking& ranking)
      : criterion_(criterion), cases_(std::move(cases)), ranking_(ranking) {}

  std::optional<double> Of(size_t who) const {
    switch (criterion_.measure) {
      case Measure::kValue:
        return Highest(who);
      case Measure::kRatio:
        return LowestRatio(who);
      case Measure::kDifference:
        return Difference(who);
      case Measure::kAboveFloor:
        return AboveFloor(who);
      case Measure::kGrowth:
        return Growth(who);
      case Measure::kCount:
      case Measure::kCountClear:
        return Count(who);
    }
    return std::nullopt;
  }

 private:
  const std::string& metric() const { return criterion_.metrics[0]; }

  std::optional<double> ValueIn(size_t a_case, size_t who) const {
    const Spread* const found = ranking_.cells().Find(a_case, who, metric());
    return found == nullptr ? std::nullopt : std::optional(found->median);
  }

  std::optional<double> Highest(size_t who) const {
    std::optional<double> highest;
    for (const size_t c : cases_) highest = Higher(highest, ValueIn(c, who));
    return highest;
  }

  // Who `who` is held against in those cases, where it is somebody.
  std::optional<size_t> Other(const std::vector<size_t>& cases,
                              size_t who) const {
    const std::vector<Allocator>& all = ranking_.measurements().allocators;
    switch (criterion_.reference) {
      case Reference::kGlibc:
        return ranking_.cells().FindAllocator("glibc");
      case Reference::kMimalloc:
        return ranking_.cells().FindAllocator("mimalloc");
      case Reference::kFastestPeer:
        return ranking_.BestSinglePeer(cases);
      case Reference::kLeanestPeer:
        return ranking_.LeanestPeer(cases[0]);
      case Reference::kFixedPool:
        for (size_t each = 0; each < all.size(); ++each) {
          if (all[each].role == Allocator::kOurs && all[each].ace == "fixed" &&
              all[each].back_end == all[who].back_end) {
            return each;
          }
        }
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  std::optional<double> RatioOf(const std::string& metric,
                                const std::vector<size_t>& cases,
                                size_t who) const {
    if (criterion_.reference == Reference::kLeanestOfFastest) {
      return ranking_.PeakOverLeanestOfFastest(cases[0], who);
    }
    if (criterion_.reference == Reference::kEachPeer) {
      const std::vector<Allocator>& all = ranking_.measurements().allocators;
      std::optional<double> highest;
      for (size_t each = 0; each < all.size(); ++each) {
        if (all[each].role != Allocator::kPeer || all[each].is_system) continue;
        highest = Higher(highest, ranking_.Mean(cases, metric, who, each));
      }
      return highest;
    }
    const std::optional<size_t> other = Other(cases, who);
    if (!other.has_value()) return std::nullopt;
    return ranking_.Mean(cases, metric, who, *other);
  }

  std::optional<double> LowestRatio(size_t who) const {
    std::optional<double> lowest;
    for (const std::string& metric : criterion_.metrics) {
      const std::optional<double> ratio = RatioOf(metric, cases_, who);
      if (!ratio.has_value()) continue;
      lowest = std::min(lowest.value_or(*ratio), *ratio);
    }
    return lowest;
  }

  std::optional<double> Difference(size_t who) const {
    const std::optional<size_t> other = Other(cases_, who);
    if (!other.has_value()) return std::nullopt;
    const auto mine = ValueIn(cases_[0], who);
    const auto its = ValueIn(cases_[0], *other);
    if (!mine.has_value() || !its.has_value()) return std::nullopt;
    return *mine - *its;
  }

  std::optional<double> AboveFloor(size_t who) const {
    const std::optional<size_t> other = Other(cases_, who);
    const auto mine = ranking_.AboveFloor(cases_[0], who);
    if (!other.has_value() || !mine.has_value()) return std::nullopt;
    const auto its = ranking_.AboveFloor(cases_[0], *other);
    if (!its.has_value() || *its <= 0) return std::nullopt;
    return *mine / *its;
  }

  std::optional<double> Growth(size_t who) const {
    const auto before = ValueIn(cases_[0], who);
    const auto after = ValueIn(cases_[1], who);
    if (!before.has_value() || !after.has_value() || *before <= 0) {
      return std::nullopt;
    }
    return *after / *before;
  }

  std::optional<double> Count(size_t who) const {
    std::optional<double> count;
    const auto add = [&](bool is_bad) { count = count.value_or(0) + is_bad; };
    for (const size_t c : cases_) {
      if (!ranking_.cells().failure(c, who).empty()) {
        add(true);
        continue;
      }
      for (const std::string& metric : criterion_.metrics) {
        const std::optional<double> ratio = RatioOf(metric, {c}, who);
        if (!ratio.has_value()) continue;
        const std::optional<size_t> other = Other({c}, who);
        add(*ratio > criterion_.factor &&
            (criterion_.measure == Measure::kCount ||
             ranking_.IsClearlyAbove(c, metric, who, *other)));
      }
    }
    return count;
  }

  const Criterion& criterion_;
  const std::vector<size_t> cases_;
  const Ranking& ranking_;
};

}  // namespace

std::vector<Judged> Judge(const std::vector<Criterion>& criteria,
                          const Ranking& ranking) {
  std::vector<Judged> all;
  if (ranking.judged().empty()) return all;
  const Measurements& measurements = ranking.measurements();
  for (const Criterion& criterion : criteria) {
    std::vector<size_t> cases;
    for (const std::string& workload : criterion.workloads) {
      const auto found = ranking.cells().FindCase(workload);
      if (found.has_value() && (measurements.absences.empty() ||
                                measurements.absences[*found].empty())) {
        cases.push_back(*found);
      }
    }
    if (cases.size() < (criterion.measure == Measure::kGrowth ? 2 : 1)) {
      continue;
    }
    const Meter meter(criterion, cases, ranking);
    Judged& judged = all.emplace_back(Judged{criterion, {}});
    for (const size_t who : ranking.judged()) {
      Verdict& verdict = judged.verdicts.emplace_back();
      verdict.value = meter.Of(who);
      verdict.met = verdict.value.has_value() &&
                    Holds(*verdict.value, criterion.bound, criterion.limit);
    }
  }
  return all;
}

const char* BoundKey(Bound bound) {
  switch (bound) {
    case Bound::kAtMost:
      return "at_most";
    case Bound::kAtLeast:
      return "at_least";
    case Bound::kBelow:
      return "below";
  }
  return "";
}

}  // namespace hakmem::bench
