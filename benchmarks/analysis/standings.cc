#include "benchmarks/analysis/standings.h"

#include <algorithm>

#include "benchmarks/analysis/statistics.h"

namespace hakmem::bench {
namespace {

constexpr double kSamePeak = 1.005;

// The geometric mean of what `ratio` says of each case, if it says anything.
template <typename Ratio>
std::optional<double> Mean(const std::vector<size_t>& cases, Ratio ratio) {
  std::vector<double> ratios;
  for (const size_t c : cases) {
    const std::optional<double> value = ratio(c);
    if (value.has_value()) ratios.push_back(*value);
  }
  if (ratios.empty()) return std::nullopt;
  return GeometricMean(ratios);
}

void WorstFirst(std::vector<Behind>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Behind& left, const Behind& right) {
                     return left.ratio > right.ratio;
                   });
}

bool IsPeer(const Contender& contender) {
  return contender.kind == Contender::kPeer ||
         contender.kind == Contender::kGlibc;
}

}  // namespace

Standings::Standings(const Results& results) : results_(results) {
  for (size_t c = 0; c < results.cases().size(); ++c) {
    comparisons_.emplace_back(results, c);
  }
}

std::vector<size_t> Standings::CasesOf(
    const std::vector<std::string>& kinds) const {
  std::vector<size_t> cases;
  for (size_t c = 0; c < results_.cases().size(); ++c) {
    if (!kinds.empty() && std::find(kinds.begin(), kinds.end(),
                                    results_.cases()[c].kind) == kinds.end()) {
      continue;
    }
    bool any = comparisons_[c].repeats() != 0;
    for (size_t who = 0; who < results_.contenders().size(); ++who) {
      any = any || !results_.failure(who, c).empty();
    }
    if (any) cases.push_back(c);
  }
  return cases;
}

std::optional<double> Standings::TimeRatio(size_t a_case, size_t one,
                                           size_t other) const {
  const auto& mine = comparisons_[a_case].summary(one);
  const auto& its = comparisons_[a_case].summary(other);
  if (!results_.cases()[a_case].timed || !mine.has_value() ||
      !its.has_value()) {
    return std::nullopt;
  }
  return mine->ns.median / its->ns.median;
}

std::optional<double> Standings::PeakRatio(size_t a_case, size_t one,
                                           size_t other) const {
  const auto& mine = comparisons_[a_case].summary(one);
  const auto& its = comparisons_[a_case].summary(other);
  if (!mine.has_value() || !its.has_value()) return std::nullopt;
  return mine->peak_rss_kib.median / its->peak_rss_kib.median;
}

std::optional<size_t> Standings::FastestPeer(size_t a_case) const {
  if (!results_.cases()[a_case].timed) return std::nullopt;
  return comparisons_[a_case].best_peer();
}

std::optional<double> Standings::MeanTimeRatio(const std::vector<size_t>& cases,
                                               size_t one, size_t other) const {
  return Mean(cases, [&](size_t c) { return TimeRatio(c, one, other); });
}

std::optional<double> Standings::MeanPeakRatio(const std::vector<size_t>& cases,
                                               size_t one, size_t other) const {
  return Mean(cases, [&](size_t c) { return PeakRatio(c, one, other); });
}

std::optional<double> Standings::MeanPeakOverLeanest(
    const std::vector<size_t>& cases, size_t who) const {
  return Mean(cases, [&](size_t c) {
    return comparisons_[c].PeakAgainstLeanestPeer(who);
  });
}

std::optional<size_t> Standings::BestSinglePeer(
    const std::vector<size_t>& cases) const {
  std::optional<size_t> best;
  size_t most = 0;
  double lowest = 0;
  for (size_t who = 0; who < results_.contenders().size(); ++who) {
    if (!IsPeer(results_.contenders()[who])) continue;
    std::vector<double> ratios;
    for (const size_t c : cases) {
      const auto fastest = FastestPeer(c);
      if (!fastest.has_value()) continue;
      const auto ratio = TimeRatio(c, who, *fastest);
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

std::vector<Behind> Standings::BehindInTime(size_t who) const {
  std::vector<Behind> behind;
  for (size_t c = 0; c < comparisons_.size(); ++c) {
    const auto fastest = FastestPeer(c);
    if (!fastest.has_value()) continue;
    const auto ratio = TimeRatio(c, who, *fastest);
    if (!ratio.has_value() || *ratio <= 1) continue;
    behind.push_back({c, *fastest, *ratio,
                      IsAbove(comparisons_[c].summary(who)->ns,
                              comparisons_[c].summary(*fastest)->ns)});
  }
  WorstFirst(behind);
  return behind;
}

std::vector<Behind> Standings::BehindInMemory(size_t who) const {
  std::vector<Behind> behind;
  for (size_t c = 0; c < comparisons_.size(); ++c) {
    const auto leanest = comparisons_[c].leanest_peer();
    if (!leanest.has_value()) continue;
    const auto ratio = PeakRatio(c, who, *leanest);
    if (!ratio.has_value() || *ratio < kSamePeak) continue;
    behind.push_back(
        {c, *leanest, *ratio,
         IsAbove(comparisons_[c].summary(who)->peak_rss_kib,
                 comparisons_[c].summary(*leanest)->peak_rss_kib)});
  }
  WorstFirst(behind);
  return behind;
}

}  // namespace hakmem::bench
