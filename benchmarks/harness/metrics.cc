#include "benchmarks/harness/metrics.h"

#include <algorithm>

namespace hakmem::bench {
namespace {

constexpr double kKib = 1024;

std::optional<double> Find(const RawNumbers& raw, const char* place) {
  const auto found = raw.find(place);
  if (found == raw.end()) return std::nullopt;
  return found->second;
}

std::optional<double> Ratio(std::optional<double> one,
                            std::optional<double> other) {
  if (!one.has_value() || !other.has_value() || *other <= 0) {
    return std::nullopt;
  }
  return *one / *other;
}

// One thread is measured in CPU time, which a busy machine disturbs least;
// threads are there to save wall time, so that is what counts for them.
std::optional<double> ElapsedNs(const RawNumbers& raw,
                                const RunContext& context) {
  return Find(raw, context.threads == 1 ? "/cpu_ns" : "/wall_ns");
}

std::optional<double> NsPerOperation(const RawNumbers& raw,
                                     const RunContext& context) {
  const std::optional<double> each =
      Ratio(ElapsedNs(raw, context), Find(raw, "/operations"));
  if (!each.has_value() || !context.per_core) return each;
  // Threads beyond the cores wait for one.
  return *each * static_cast<double>(std::min(context.threads, context.cores));
}

std::optional<double> OperationsPerSecond(const RawNumbers& raw,
                                          const RunContext& context) {
  const std::optional<double> each =
      Ratio(Find(raw, "/operations"), ElapsedNs(raw, context));
  return each.has_value() ? std::optional(*each * 1e9) : std::nullopt;
}

std::optional<double> CpuPerWall(const RawNumbers& raw, const RunContext&) {
  return Ratio(Find(raw, "/cpu_ns"), Find(raw, "/wall_ns"));
}

// The counter also runs while another program has the core.
std::optional<double> Cycles(const RawNumbers& raw, const RunContext& context) {
  const auto each = Ratio(Find(raw, "/cycles"), Find(raw, "/operations"));
  const auto ours = Ratio(ElapsedNs(raw, context), Find(raw, "/wall_ns"));
  if (!each.has_value() || !ours.has_value()) return std::nullopt;
  return *each * *ours;
}

template <const char* place>
std::optional<double> PerOperation(const RawNumbers& raw, const RunContext&) {
  return Ratio(Find(raw, place), Find(raw, "/operations"));
}
constexpr char kCacheMisses[] = "/cache_misses";
constexpr char kDtlbMisses[] = "/dtlb_misses";
constexpr char kInstructions[] = "/instructions";

std::optional<double> Fragmentation(const RawNumbers& raw, const RunContext&) {
  const auto live = Ratio(Find(raw, "/statistics/slab_live_bytes"),
                          Find(raw, "/statistics/slab_committed_bytes"));
  return live.has_value() ? std::optional(1 - *live) : std::nullopt;
}

std::optional<double> ResidentGrowth(const RawNumbers& raw, const RunContext&) {
  return Ratio(Find(raw, "/resident_after_kib"),
               Find(raw, "/resident_before_kib"));
}

// What an allocator may keep: what was there before the work, 1.05 times what
// is live, and 2 MiB.
std::optional<double> ResidentOverAllowed(const RawNumbers& raw,
                                          const RunContext&) {
  const auto before = Find(raw, "/resident_before_kib");
  const auto live = Find(raw, "/live_after_kib");
  if (!before.has_value() || !live.has_value()) return std::nullopt;
  return Ratio(Find(raw, "/resident_after_kib"), *before + 1.05 * *live + 2048);
}

// Of an idle process: what it has resident; of others their peak.
std::optional<double> Settled(const RawNumbers& raw, const RunContext&) {
  auto kib = Find(raw, "/resident_after_kib");
  if (!kib.has_value()) kib = Find(raw, "/peak_rss_kib");
  return kib.has_value() ? std::optional(*kib * kKib) : std::nullopt;
}

}  // namespace

const std::vector<Metric>& Metrics() {
  using enum Unit;
  using enum Better;
  constexpr Aggregation kMost = Aggregation::kHighest;
  static const auto* const metrics = new std::vector<Metric>{
      {.key = kTime,
       .title = "time per operation",
       .unit = kNanoseconds,
       .derive = NsPerOperation},
      {.key = "ops_per_second",
       .title = "operations per second",
       .unit = kPerSecond,
       .better = kHigher,
       .derive = OperationsPerSecond},
      {.key = kPeak,
       .title = "peak resident memory",
       .unit = kBytes,
       .raw = "/peak_rss_kib",
       .scale = kKib},
      {.key = "minor_faults",
       .title = "page faults without I/O",
       .unit = kCount,
       .column = "faults",
       .raw = "/minor_faults"},
      {.key = "cpu_per_wall",
       .title = "cores busy",
       .unit = kRatio,
       .column = "cores",
       .better = kNeither,
       .derive = CpuPerWall},
      {.key = "cycles",
       .title = "cycles per operation",
       .unit = kCount,
       .column = "cycles",
       .derive = Cycles},
      {.key = "instructions",
       .title = "instructions per operation",
       .unit = kCount,
       .column = "instr.",
       .derive = PerOperation<kInstructions>},
      {.key = "cache_misses",
       .title = "cache misses per operation",
       .unit = kCount,
       .column = "cache",
       .derive = PerOperation<kCacheMisses>},
      {.key = "dtlb_misses",
       .title = "data TLB misses per operation",
       .unit = kCount,
       .column = "TLB",
       .derive = PerOperation<kDtlbMisses>},
      {.key = "internal_waste",
       .title = "usable over requested bytes, less 1",
       .unit = kRatio,
       .column = "waste",
       .raw = "/internal_waste"},
      {.key = "resident_before",
       .title = "resident before the work",
       .unit = kBytes,
       .column = "before",
       .raw = "/resident_before_kib",
       .scale = kKib},
      {.key = "resident_after",
       .title = "resident at its end",
       .unit = kBytes,
       .column = "after",
       .raw = "/resident_after_kib",
       .scale = kKib},
      {.key = "live_after",
       .title = "live at its end",
       .unit = kBytes,
       .column = "live",
       .better = kNeither,
       .raw = "/live_after_kib",
       .scale = kKib},
      {.key = "resident_mean",
       .title = "resident on average",
       .unit = kBytes,
       .column = "mean",
       .raw = "/resident_mean_kib",
       .scale = kKib},
      {.key = "live_mean",
       .title = "live on average",
       .unit = kBytes,
       .column = "live mean",
       .better = kNeither,
       .raw = "/live_mean_kib",
       .scale = kKib},
      {.key = "idle_thread",
       .title = "resident for each thread that waits",
       .unit = kBytes,
       .column = "thread",
       .raw = "/idle_thread_kib",
       .scale = kKib},
      {.key = "proportional",
       .title = "resident of all processes, shared pages once",
       .unit = kBytes,
       .column = "PSS",
       .raw = "/proportional_kib",
       .scale = kKib},
      {.key = "call_p999",
       .title = "processor time of a call, 99.9th percentile",
       .unit = kNanoseconds,
       .column = "p99.9",
       .raw = "/call_p999_ns"},
      {.key = "call_longest",
       .title = "processor time of the longest call",
       .unit = kNanoseconds,
       .column = "longest",
       .raw = "/call_longest_ns"},
      {.key = "call_beyond_faults",
       .title = "processor time of the longest call, less its page faults",
       .unit = kNanoseconds,
       .column = "no fault",
       .raw = "/call_beyond_faults_ns"},
      {.key = "resident_growth",
       .title = "resident at the end over that before",
       .unit = kRatio,
       .derive = ResidentGrowth},
      {.key = "resident_over_allowed",
       .title = "resident at the end over before + 1.05 live + 2 MiB",
       .unit = kRatio,
       .derive = ResidentOverAllowed},
      {.key = "resident_settled",
       .title = "resident at the end, or at the peak",
       .unit = kBytes,
       .derive = Settled},
      {.key = "libc_malloc",
       .title = "held by libc's own malloc",
       .unit = kBytes,
       .own = true,
       .aggregation = kMost,
       .raw = "/libc_malloc_bytes"},
      {.key = "chunks",
       .title = "SuperSlabs or segments held",
       .unit = kCount,
       .own = true,
       .aggregation = kMost,
       .raw = "/statistics/chunks"},
      {.key = "slabs",
       .title = "slabs held",
       .unit = kCount,
       .own = true,
       .aggregation = kMost,
       .raw = "/statistics/slabs"},
      {.key = "slab_live",
       .title = "live in slabs",
       .unit = kBytes,
       .own = true,
       .better = kNeither,
       .raw = "/statistics/slab_live_bytes"},
      {.key = "slab_committed",
       .title = "committed in slabs",
       .unit = kBytes,
       .own = true,
       .raw = "/statistics/slab_committed_bytes"},
      {.key = "fragmentation",
       .title = "of the slabs' committed memory, not live",
       .unit = kRatio,
       .own = true,
       .derive = Fragmentation},
  };
  return *metrics;
}

const Metric* FindMetric(std::string_view key) {
  for (const Metric& metric : Metrics()) {
    if (key == metric.key) return &metric;
  }
  return nullptr;
}

std::map<std::string, double> MetricsOf(const RawNumbers& raw,
                                        const RunContext& context) {
  std::map<std::string, double> values;
  for (const Metric& metric : Metrics()) {
    std::optional<double> value;
    if (metric.derive != nullptr) {
      value = metric.derive(raw, context);
    } else if ((value = Find(raw, metric.raw)).has_value()) {
      *value *= metric.scale;
    }
    if (value.has_value()) values[metric.key] = *value;
  }
  return values;
}

const char* UnitKey(Unit unit) {
  switch (unit) {
    case Unit::kNanoseconds:
      return "ns";
    case Unit::kBytes:
      return "bytes";
    case Unit::kCount:
      return "count";
    case Unit::kRatio:
      return "ratio";
    case Unit::kPerSecond:
      return "per_second";
  }
  return "";
}

const char* AggregationKey(Aggregation aggregation) {
  return aggregation == Aggregation::kMedian ? "median" : "highest";
}

const char* BetterKey(Better better) {
  switch (better) {
    case Better::kLower:
      return "lower";
    case Better::kHigher:
      return "higher";
    case Better::kNeither:
      return "neither";
  }
  return "";
}

}  // namespace hakmem::bench
