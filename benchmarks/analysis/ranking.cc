#include "benchmarks/analysis/ranking.h"

#include <algorithm>

#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {
namespace {

constexpr double kSamePeak = 1.005;

// The geometric mean of what `ratio` says of each case, if it says anything.
template <typename GetRatio>
std::optional<double> MeanOf(const std::vector<size_t>& cases, GetRatio ratio) {
  std::vector<double> ratios;
  for (const size_t c : cases) {
    const std::optional<double> value = ratio(c);
    if (value.has_value() && *value > 0) ratios.push_back(*value);
  }
  if (ratios.empty()) return std::nullopt;
  return GeometricMean(ratios);
}

bool IsPeer(const Allocator& allocator) {
  return allocator.role == Allocator::kPeer;
}

}  // namespace

Ranking::Ranking(const Cells& cells)
    : cells_(cells),
      fastest_(cells.measurements().cases.size()),
      leanest_(fastest_.size()) {
  const std::vector<Allocator>& all = measurements().allocators;
  for (size_t who = 0; who < all.size(); ++who) {
    if (all[who].role == Allocator::kFloor) floor_ = who;
    if (all[who].is_default_variant()) judged_.push_back(who);
    if (!IsPeer(all[who])) continue;
    for (size_t c = 0; c < fastest_.size(); ++c) {
      const auto offer = [&](const char* metric, std::optional<size_t>& first) {
        const Spread* const mine = cells_.Find(c, who, metric);
        if (mine == nullptr) return;
        if (!first.has_value() ||
            mine->median < cells_.Find(c, *first, metric)->median) {
          first = who;
        }
      };
      if (measurements().cases[c].timed) offer(kTime, fastest_[c]);
      if (!all[who].is_system) offer(kPeak, leanest_[c]);
    }
  }
}

std::vector<size_t> Ranking::CasesOf(
    const std::vector<std::string>& kinds) const {
  std::vector<size_t> cases;
  for (size_t c = 0; c < measurements().cases.size(); ++c) {
    const bool fits =
        kinds.empty() || std::find(kinds.begin(), kinds.end(),
                                   measurements().cases[c].kind) != kinds.end();
    if (fits && cells_.IsTouched(c)) cases.push_back(c);
  }
  return cases;
}

std::optional<double> Ranking::AboveFloor(size_t a_case, size_t who) const {
  if (!floor_.has_value() || who == *floor_) return std::nullopt;
  const Spread* const mine = cells_.Find(a_case, who, kTime);
  const Spread* const floor = cells_.Find(a_case, *floor_, kTime);
  if (mine == nullptr || floor == nullptr) return std::nullopt;
  return mine->median - floor->median;
}

std::optional<double> Ranking::Ratio(size_t a_case, std::string_view metric,
                                     size_t one, size_t other) const {
  if (metric == kTime && !measurements().cases[a_case].timed) {
    return std::nullopt;
  }
  const Spread* const mine = cells_.Find(a_case, one, metric);
  const Spread* const its = cells_.Find(a_case, other, metric);
  if (mine == nullptr || its == nullptr || its->median <= 0) {
    return std::nullopt;
  }
  return mine->median / its->median;
}

std::optional<double> Ranking::Mean(const std::vector<size_t>& cases,
                                    std::string_view metric, size_t one,
                                    size_t other) const {
  return MeanOf(cases, [&](size_t c) { return Ratio(c, metric, one, other); });
}

std::optional<double> Ranking::MeanOverLeanest(const std::vector<size_t>& cases,
                                               size_t who) const {
  return MeanOf(cases, [&](size_t c) -> std::optional<double> {
    if (!leanest_[c].has_value()) return std::nullopt;
    return Ratio(c, kPeak, who, *leanest_[c]);
  });
}

std::optional<double> Ranking::PeakOverLeanestOfFastest(size_t a_case,
                                                        size_t who) const {
  const std::vector<Allocator>& all = measurements().allocators;
  std::vector<size_t> field;
  for (size_t each = 0; each < all.size(); ++each) {
    if ((each == who || IsPeer(all[each])) &&
        cells_.Find(a_case, each, kTime) != nullptr &&
        cells_.Find(a_case, each, kPeak) != nullptr) {
      field.push_back(each);
    }
  }
  if (cells_.Find(a_case, who, kPeak) == nullptr || field.size() < 2) {
    return std::nullopt;
  }
  std::sort(field.begin(), field.end(), [&](size_t left, size_t right) {
    return cells_.Find(a_case, left, kTime)->median <
           cells_.Find(a_case, right, kTime)->median;
  });
  field.resize(std::min<size_t>(field.size(), 3));
  const size_t leanest =
      *std::min_element(field.begin(), field.end(), [&](size_t l, size_t r) {
        return cells_.Find(a_case, l, kPeak)->median <
               cells_.Find(a_case, r, kPeak)->median;
      });
  return Ratio(a_case, kPeak, who, leanest);
}

std::optional<size_t> Ranking::BestSinglePeer(
    const std::vector<size_t>& cases) const {
  std::optional<size_t> best;
  size_t most = 0;
  double lowest = 0;
  for (size_t who = 0; who < measurements().allocators.size(); ++who) {
    if (!IsPeer(measurements().allocators[who])) continue;
    std::vector<double> ratios;
    for (const size_t c : cases) {
      if (!fastest_[c].has_value()) continue;
      const auto ratio = Ratio(c, kTime, who, *fastest_[c]);
      if (ratio.has_value()) ratios.push_back(*ratio);
    }
    if (ratios.empty() || ratios.size() < most) continue;
    const double mean = GeometricMean(ratios);
    if (ratios.size() == most && mean >= lowest) continue;
    best = who;
    most = ratios.size();
    lowest = mean;
  }
  return best;
}

std::vector<Behind> Ranking::BehindIn(std::string_view metric,
                                      size_t who) const {
  const bool in_time = metric == kTime;
  std::vector<Behind> behind;
  for (size_t c = 0; c < measurements().cases.size(); ++c) {
    const std::optional<size_t> first = in_time ? fastest_[c] : leanest_[c];
    if (!first.has_value()) continue;
    const auto ratio = Ratio(c, metric, who, *first);
    if (!ratio.has_value() || *ratio <= 1) continue;
    if (!in_time && *ratio < kSamePeak) continue;
    behind.push_back(
        {c, *first, *ratio, IsClearlyAbove(c, metric, who, *first)});
  }
  std::stable_sort(behind.begin(), behind.end(),
                   [](const Behind& left, const Behind& right) {
                     return left.ratio > right.ratio;
                   });
  return behind;
}

bool Ranking::IsClearlyAbove(size_t a_case, std::string_view metric, size_t one,
                             size_t other) const {
  const Spread* const mine = cells_.Find(a_case, one, metric);
  const Spread* const its = cells_.Find(a_case, other, metric);
  return mine != nullptr && its != nullptr && IsAbove(*mine, *its);
}

}  // namespace hakmem::bench
