// The metric table: one row for each number of a sample. A new number that a
// worker prints needs a row here and nothing else.
#ifndef HAKMEM_BENCHMARKS_HARNESS_METRICS_H_
#define HAKMEM_BENCHMARKS_HARNESS_METRICS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hakmem::bench {

enum class Unit { kNanoseconds, kBytes, kCount, kRatio, kPerSecond };
enum class Aggregation {
  kMedian,
  kHighest,  // one in one run of many shows
};
enum class Better { kLower, kHigher, kNeither };

// The numbers of a worker's line, by their place in it: "/wall_ns",
// "/statistics/chunks".
using RawNumbers = std::map<std::string, double>;

// What besides the line a metric may need.
struct RunContext {
  uint64_t threads = 1;
  bool per_core = false;  // as in Case
  uint64_t cores = 1;     // that threads can run on
};

struct Metric {
  const char* key;
  const char* title;
  Unit unit;
  const char* column = "";  // its title in a table of a workload; empty: none
  bool own = false;         // HAKMEM's of itself
  Aggregation aggregation = Aggregation::kMedian;
  Better better = Better::kLower;
  // Where it comes from: a number of the line, times `scale`, or a function of
  // the line. Nothing where the line does not have it.
  const char* raw = nullptr;
  double scale = 1;
  std::optional<double> (*derive)(const RawNumbers& raw,
                                  const RunContext& context) = nullptr;
};

const std::vector<Metric>& Metrics();

// Null when there is none.
const Metric* FindMetric(std::string_view key);

// All that the line has, by the metrics' keys.
std::map<std::string, double> MetricsOf(const RawNumbers& raw,
                                        const RunContext& context);

const char* UnitKey(Unit unit);                       // "ns"
const char* AggregationKey(Aggregation aggregation);  // "median"
const char* BetterKey(Better better);                 // "lower"

// The keys of metrics that the analysis is about.
inline constexpr char kTime[] = "ns";
inline constexpr char kPeak[] = "peak_rss";

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_METRICS_H_
