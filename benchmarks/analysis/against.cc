#include "benchmarks/analysis/against.h"

#include <algorithm>
#include <cmath>

#include "benchmarks/harness/metrics.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

using nlohmann::json;

// Less is never more than noise.
constexpr double kLeastNoise = 1.03;

Spread SpreadOf(const json& cell) {
  Spread spread;
  spread.median = cell.at("value").get<double>();
  spread.low = spread.interval.low = cell.at("low").get<double>();
  spread.high = spread.interval.high = cell.at("high").get<double>();
  spread.count = cell.at("samples").get<size_t>();
  return spread;
}

FormerResult Read(const json& result) {
  FormerResult former;
  former.suite = result.at("suite").at("key").get<std::string>();
  former.effort = result.at("effort").get<double>();
  former.cpu = result.at("machine").at("cpu").get<std::string>();
  former.cores = result.at("machine").at("cores").get<double>();
  for (const json& cell : result.at("analysis").at("cells")) {
    for (const auto& [metric, value] : cell.at("metrics").items()) {
      former.spreads[{cell.at("workload").get<std::string>(),
                      cell.at("allocator").get<std::string>(), metric}] =
          SpreadOf(value);
    }
  }
  for (const json& sample : result.at("samples")) {
    if (!sample.contains("failure")) continue;
    former.failures.emplace(sample.at("workload").get<std::string>(),
                            sample.at("allocator").get<std::string>());
  }
  return former;
}

// The same figure then and now.
struct Pair {
  size_t a_case;
  size_t who;
  const Spread* before;
  const Spread* after;

  double ratio() const { return after->median / before->median; }
};

std::vector<Pair> PairsOf(const FormerResult& former, const Cells& now,
                          const std::string& metric, bool ours) {
  const Measurements& measurements = now.measurements();
  std::vector<Pair> pairs;
  for (size_t c = 0; c < measurements.cases.size(); ++c) {
    if (metric == kTime && !measurements.cases[c].timed) continue;
    for (size_t who = 0; who < measurements.allocators.size(); ++who) {
      const Allocator& allocator = measurements.allocators[who];
      if ((allocator.role == Allocator::kOurs) != ours) continue;
      const auto before = former.spreads.find(
          {measurements.cases[c].key, allocator.key, metric});
      const Spread* const after = now.Find(c, who, metric);
      if (before == former.spreads.end() || after == nullptr ||
          before->second.median <= 0 || after->median <= 0) {
        continue;
      }
      pairs.push_back({c, who, &before->second, after});
    }
  }
  return pairs;
}

double DriftOf(const std::vector<Pair>& references) {
  if (references.empty()) return 1;
  std::vector<double> ratios;
  for (const Pair& pair : references) ratios.push_back(pair.ratio());
  return GeometricMean(ratios);
}

// By how much references differ from the drift: twice what would be the
// standard deviation if they were normally distributed. From the median of the
// deviations, so that one reference that did change says little.
double NoiseOf(const std::vector<Pair>& references, double drift) {
  std::vector<double> deviations;
  for (const Pair& pair : references) {
    deviations.push_back(std::abs(std::log(pair.ratio() / drift)));
  }
  std::sort(deviations.begin(), deviations.end());
  return std::max(kLeastNoise,
                  std::exp(2 * 1.4826 * Quantile(deviations, 0.5)));
}

Spread Scaled(Spread spread, double factor) {
  for (double* const value : {&spread.median, &spread.low, &spread.high,
                              &spread.interval.low, &spread.interval.high}) {
    *value *= factor;
  }
  return spread;
}

Change ChangeOf(const Pair& pair, double drift, double noise) {
  const Spread after = Scaled(*pair.after, 1 / drift);
  const double ratio = after.median / pair.before->median;
  if (ratio > noise && IsAbove(after, *pair.before)) return Change::kWorse;
  if (ratio < 1 / noise && IsAbove(*pair.before, after)) return Change::kBetter;
  return Change::kSame;
}

void AddFailures(const FormerResult& former, const Cells& now,
                 Against& against) {
  const Measurements& measurements = now.measurements();
  for (size_t c = 0; c < measurements.cases.size(); ++c) {
    for (size_t who = 0; who < measurements.allocators.size(); ++who) {
      const std::string& workload = measurements.cases[c].key;
      const Allocator& allocator = measurements.allocators[who];
      // What failed then as well has not become worse.
      if (allocator.role != Allocator::kOurs || now.failure(c, who).empty() ||
          former.failures.count({workload, allocator.key}) != 0) {
        continue;
      }
      // Nor what was not measured.
      if (former.spreads.count({workload, allocator.key, kPeak}) == 0) continue;
      AgainstRow row{workload, allocator.key, kTime};
      row.fails = true;
      row.change = Change::kWorse;
      against.rows.push_back(std::move(row));
    }
  }
}

void AddMetric(const FormerResult& former, const Cells& now,
               const std::string& metric, Against& against) {
  const Measurements& measurements = now.measurements();
  const std::vector<Pair> references = PairsOf(former, now, metric, false);
  const double drift = DriftOf(references);
  const double noise = NoiseOf(references, drift);
  against.drifts[metric] = drift;
  against.noise[metric] = noise;
  for (const Pair& pair : references) {
    const std::string& key = measurements.allocators[pair.who].key;
    std::vector<std::string>& by = against.normalised_by;
    if (std::find(by.begin(), by.end(), key) == by.end()) by.push_back(key);
  }
  for (const Pair& pair : PairsOf(former, now, metric, true)) {
    AgainstRow row{measurements.cases[pair.a_case].key,
                   measurements.allocators[pair.who].key, metric};
    row.before = pair.before->median;
    row.after = pair.after->median;
    row.ratio = pair.ratio() / drift;
    row.change = ChangeOf(pair, drift, noise);
    against.rows.push_back(std::move(row));
  }
}

}  // namespace

std::optional<FormerResult> ReadFormerResult(std::string_view text,
                                             std::string& error) {
  const json result = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!result.is_object() || !result.contains("format") ||
      result["format"] != 1) {
    error = "it is no result.json of format 1";
    return std::nullopt;
  }
  try {
    FormerResult former = Read(result);
    if (former.spreads.empty()) {
      error = "nothing was measured in it";
      return std::nullopt;
    }
    return former;
  } catch (const json::exception&) {
    error = "it is a damaged result.json";
    return std::nullopt;
  }
}

std::string WhyNotComparable(const FormerResult& former,
                             const std::string& suite, double effort) {
  if (former.suite != suite) {
    return "it is of the suite " + former.suite + ", not " + suite;
  }
  if (former.effort != effort) {
    return "it was made with another effort than this run's";
  }
  return "";
}

bool Against::any_worse() const {
  return std::any_of(rows.begin(), rows.end(), [](const AgainstRow& row) {
    return row.change == Change::kWorse;
  });
}

Against CompareWith(const FormerResult& former, const Cells& now) {
  Against against;
  AddFailures(former, now, against);
  AddMetric(former, now, kTime, against);
  AddMetric(former, now, kPeak, against);
  std::stable_sort(against.rows.begin(), against.rows.end(),
                   [](const AgainstRow& left, const AgainstRow& right) {
                     if (left.fails != right.fails) return left.fails;
                     return left.ratio > right.ratio;
                   });
  return against;
}

const char* ChangeKey(Change change) {
  switch (change) {
    case Change::kBetter:
      return "better";
    case Change::kWorse:
      return "worse";
    case Change::kSame:
      return "same";
  }
  return "";
}

}  // namespace hakmem::bench
