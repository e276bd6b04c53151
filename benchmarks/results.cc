#include "benchmarks/results.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hakmem::bench {
namespace {

// The median of what `get` (a member of Sample or a function) makes of each
// sample; nothing unless every sample has it.
template <typename Get>
std::optional<Spread> SpreadOf(const std::vector<Sample>& samples, Get get) {
  std::vector<double> values;
  for (const Sample& sample : samples) {
    const std::optional<double> value = get(sample);
    if (!value.has_value()) return std::nullopt;
    values.push_back(*value);
  }
  return Summarize(std::move(values));
}

template <typename Get>
std::optional<double> MedianOf(const std::vector<Sample>& samples, Get get) {
  const std::optional<Spread> spread = SpreadOf(samples, get);
  return spread.has_value() ? std::optional(spread->median) : std::nullopt;
}

std::optional<double> PerOperation(const std::vector<Sample>& samples,
                                   std::optional<double> Sample::*member) {
  return MedianOf(samples, [&](const Sample& sample) -> std::optional<double> {
    if (!(sample.*member).has_value()) return std::nullopt;
    return *(sample.*member) / sample.operations;
  });
}

// Of counts the highest: one fault in one run of many is a fault.
Books WorstBooks(const std::vector<Sample>& samples) {
  Books worst;
  for (const Sample& sample : samples) {
    const Books& books = *sample.books;
    worst.chunks = std::max(worst.chunks, books.chunks);
    worst.slabs = std::max(worst.slabs, books.slabs);
    worst.fallbacks = std::max(worst.fallbacks, books.fallbacks);
    worst.free_list_faults =
        std::max(worst.free_list_faults, books.free_list_faults);
  }
  const auto median = [&](double Books::*member) {
    return *MedianOf(samples, [&](const Sample& sample) {
      return std::optional((*sample.books).*member);
    });
  };
  worst.slab_live = median(&Books::slab_live);
  worst.slab_committed = median(&Books::slab_committed);
  worst.lookup_cycles = median(&Books::lookup_cycles);
  return worst;
}

}  // namespace

std::string Case::Name() const {
  if (!workload.empty()) return workload;
  return absl::StrCat(slots, " slots, ", threads,
                      threads == 1 ? " thread" : " threads");
}

bool Results::any_failure() const {
  return std::any_of(failures_.begin(), failures_.end(),
                     [](const std::string& why) { return !why.empty(); });
}

std::optional<Summary> Results::Summarize(size_t contender,
                                          size_t a_case) const {
  const std::vector<Sample>& all = samples(contender, a_case);
  if (all.empty()) return std::nullopt;
  const Case& where = cases_[a_case];
  const auto time_ns = [&](const Sample& sample) {
    return where.by_cpu_time() ? sample.cpu_ns : sample.wall_ns;
  };
  // Threads beyond the cores wait for one: the time of a core is what an
  // operation costs.
  const auto busy_cores = static_cast<double>(
      where.workload.empty() ? std::min(where.threads, cores_) : 1);
  Summary summary;
  summary.mops = *SpreadOf(all, [&](const Sample& sample) {
    return std::optional(sample.operations / time_ns(sample) * 1000);
  });
  summary.ns = *SpreadOf(all, [&](const Sample& sample) {
    return std::optional(time_ns(sample) * busy_cores / sample.operations);
  });
  summary.peak_rss_kib = *SpreadOf(
      all, [](const Sample& s) { return std::optional(s.peak_rss_kib); });
  summary.minor_faults = *MedianOf(
      all, [](const Sample& s) { return std::optional(s.minor_faults); });
  summary.cycles = MedianOf(all, [&](const Sample& s) -> std::optional<double> {
    if (!s.cycles.has_value()) return std::nullopt;
    // The counter also runs while another program has the core.
    return *s.cycles * (time_ns(s) / s.wall_ns) / s.operations;
  });
  summary.cache_misses = PerOperation(all, &Sample::cache_misses);
  summary.dtlb_misses = PerOperation(all, &Sample::dtlb_misses);
  summary.instructions = PerOperation(all, &Sample::instructions);
  const auto median = [&](std::optional<double> Sample::*member) {
    return MedianOf(all, [&](const Sample& sample) { return sample.*member; });
  };
  summary.internal_waste = median(&Sample::internal_waste);
  summary.resident_before_kib = median(&Sample::resident_before_kib);
  summary.resident_after_kib = median(&Sample::resident_after_kib);
  summary.live_after_kib = median(&Sample::live_after_kib);
  if (std::all_of(all.begin(), all.end(),
                  [](const Sample& s) { return s.books.has_value(); })) {
    summary.books = WorstBooks(all);
    summary.fragmentation = MedianOf(all, [](const Sample& sample) {
      return sample.books->Fragmentation();
    });
  }
  for (const Sample& sample : all) {
    if (!sample.libc_malloc_bytes.has_value()) continue;
    summary.libc_malloc_bytes = std::max(summary.libc_malloc_bytes.value_or(0),
                                         *sample.libc_malloc_bytes);
  }
  return summary;
}

std::optional<size_t> Results::FindCase(uint64_t slots,
                                        uint64_t threads) const {
  for (size_t i = 0; i < cases_.size(); ++i) {
    if (cases_[i].slots == slots && cases_[i].threads == threads) return i;
  }
  return std::nullopt;
}

std::optional<size_t> Results::FindCase(const std::string& workload) const {
  for (size_t i = 0; i < cases_.size(); ++i) {
    if (cases_[i].workload == workload) return i;
  }
  return std::nullopt;
}

std::optional<size_t> Results::FindContender(const std::string& name) const {
  for (size_t i = 0; i < contenders_.size(); ++i) {
    if (contenders_[i].name == name) return i;
  }
  return std::nullopt;
}

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
