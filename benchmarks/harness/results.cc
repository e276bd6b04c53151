#include "benchmarks/harness/results.h"

#include <algorithm>
#include <utility>

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

void Results::Add(size_t contender, size_t a_case, Sample sample) {
  if (cases_[a_case].threads == 0) {
    cases_[a_case].threads = static_cast<uint64_t>(sample.threads);
  }
  cells_[Index(contender, a_case)].push_back(std::move(sample));
}

std::vector<std::string> Results::Failures(size_t contender) const {
  std::vector<std::string> failures;
  for (size_t c = 0; c < cases_.size(); ++c) {
    const std::string& why = failure(contender, c);
    if (!why.empty()) failures.push_back(cases_[c].Name() + ": " + why);
  }
  return failures;
}

void Results::SetAbsent(size_t a_case, std::string why) {
  absences_[a_case] = std::move(why);
  for (size_t i = 0; i < contenders_.size(); ++i) {
    Forget(i, a_case);
    SetFailure(i, a_case, "");
  }
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
      where.slots != 0 ? std::min(where.threads, cores_) : 1);
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
  summary.cpu_per_wall = *MedianOf(all, [](const Sample& s) {
    return std::optional(s.wall_ns > 0 ? s.cpu_ns / s.wall_ns : 0);
  });
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

}  // namespace hakmem::bench
