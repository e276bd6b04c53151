#include "benchmarks/analysis/comparison.h"

#include <algorithm>

namespace hakmem::bench {

Comparison::Comparison(const Results& results, size_t a_case) {
  double best = 0;
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    const auto& summary = summaries_.emplace_back(results.Summarize(i, a_case));
    const Contender::Kind kind = results.contenders()[i].kind;
    if (kind == Contender::kFloor) floor_ = i;
    if (kind == Contender::kGlibc) glibc_ = i;
    const bool is_other = kind == Contender::kGlibc || kind == Contender::kPeer;
    if (!is_other || !summary.has_value()) continue;
    peers_.push_back(i);
    if (summary->mops.median > best) {
      best = summary->mops.median;
      best_peer_ = i;
    }
    if (kind == Contender::kPeer &&
        (!leanest_peer_.has_value() ||
         summary->peak_rss_kib.median <
             summaries_[*leanest_peer_]->peak_rss_kib.median)) {
      leanest_peer_ = i;
    }
  }
}

std::optional<double> Comparison::AboveFloor(size_t contender) const {
  if (!floor_.has_value() || contender == *floor_ ||
      !summaries_[contender].has_value() || !summaries_[*floor_].has_value()) {
    return std::nullopt;
  }
  return summaries_[contender]->ns.median - summaries_[*floor_]->ns.median;
}

std::optional<double> Comparison::Against(size_t contender,
                                          std::optional<size_t> other) const {
  if (contender == floor_ || !other.has_value() ||
      !summaries_[contender].has_value() || !summaries_[*other].has_value()) {
    return std::nullopt;
  }
  return summaries_[contender]->mops.median / summaries_[*other]->mops.median;
}

std::optional<double> Comparison::AgainstGlibc(size_t contender) const {
  return Against(contender, glibc_);
}

std::optional<double> Comparison::AgainstBestPeer(size_t contender) const {
  return Against(contender, best_peer_);
}

std::optional<double> Comparison::PeakAgainstLeanest(size_t contender) const {
  if (contender == floor_ || peers_.empty() ||
      !summaries_[contender].has_value()) {
    return std::nullopt;
  }
  std::vector<size_t> field = peers_;
  if (std::find(field.begin(), field.end(), contender) == field.end()) {
    field.push_back(contender);
  }
  std::sort(field.begin(), field.end(), [&](size_t left, size_t right) {
    return summaries_[left]->ns.median < summaries_[right]->ns.median;
  });
  field.resize(std::min<size_t>(field.size(), 3));
  double least = summaries_[field[0]]->peak_rss_kib.median;
  for (const size_t each : field) {
    least = std::min(least, summaries_[each]->peak_rss_kib.median);
  }
  return summaries_[contender]->peak_rss_kib.median / least;
}

std::optional<double> Comparison::PeakAgainstLeanestPeer(
    size_t contender) const {
  if (contender == floor_ || !leanest_peer_.has_value() ||
      !summaries_[contender].has_value()) {
    return std::nullopt;
  }
  return summaries_[contender]->peak_rss_kib.median /
         summaries_[*leanest_peer_]->peak_rss_kib.median;
}

std::vector<size_t> Comparison::Ranking() const {
  std::vector<size_t> ranking;
  for (size_t i = 0; i < summaries_.size(); ++i) {
    if (summaries_[i].has_value()) ranking.push_back(i);
  }
  std::stable_sort(
      ranking.begin(), ranking.end(), [&](size_t left, size_t right) {
        if (left == floor_ || right == floor_) return right != floor_;
        return summaries_[left]->mops.median > summaries_[right]->mops.median;
      });
  return ranking;
}

size_t Comparison::repeats() const {
  size_t most = 0;
  for (const auto& summary : summaries_) {
    if (summary.has_value()) most = std::max(most, summary->mops.count);
  }
  return most;
}

std::optional<double> Degradation(const Results& results, size_t contender,
                                  uint64_t few, uint64_t many,
                                  uint64_t threads) {
  const auto few_case = results.FindCase(few, threads);
  const auto many_case = results.FindCase(many, threads);
  if (!few_case.has_value() || !many_case.has_value()) return std::nullopt;
  const auto with_few = results.Summarize(contender, *few_case);
  const auto with_many = results.Summarize(contender, *many_case);
  if (!with_few.has_value() || !with_many.has_value()) return std::nullopt;
  return with_few->mops.median / with_many->mops.median;
}

}  // namespace hakmem::bench
