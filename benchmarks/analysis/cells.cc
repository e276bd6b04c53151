#include "benchmarks/analysis/cells.h"

#include <algorithm>
#include <utility>

#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {

Cells::Cells(const Measurements& measurements)
    : measurements_(measurements),
      spreads_(measurements.cases.size() * measurements.allocators.size()),
      failures_(spreads_.size()),
      repeats_(measurements.cases.size()) {
  std::vector<std::map<std::string, std::vector<double>>> values(
      spreads_.size());
  std::vector<size_t> counts(spreads_.size());
  for (const Sample& sample : measurements.samples) {
    const size_t index = Index(sample.a_case, sample.allocator);
    if (!sample.failure.empty()) {
      failures_[index] = sample.failure;
      continue;
    }
    repeats_[sample.a_case] =
        std::max(repeats_[sample.a_case], ++counts[index]);
    for (const auto& [metric, value] : sample.values) {
      values[index][metric].push_back(value);
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    for (auto& [key, numbers] : values[i]) {
      if (numbers.size() != counts[i]) continue;
      Spread spread = Summarize(std::move(numbers));
      const Metric* const metric = FindMetric(key);
      if (metric != nullptr && metric->aggregation == Aggregation::kHighest) {
        spread.median = spread.highest;
      }
      spreads_[i][key] = spread;
    }
  }
}

const Spread* Cells::Find(size_t a_case, size_t who,
                          std::string_view metric) const {
  const Spreads& all = spreads(a_case, who);
  const auto found = all.find(metric);
  return found == all.end() ? nullptr : &found->second;
}

bool Cells::any_failure() const {
  return std::any_of(failures_.begin(), failures_.end(),
                     [](const std::string& why) { return !why.empty(); });
}

bool Cells::IsTouched(size_t a_case) const {
  for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
    if (!spreads(a_case, who).empty() || !failure(a_case, who).empty()) {
      return true;
    }
  }
  return false;
}

std::optional<size_t> Cells::FindCase(std::string_view key) const {
  for (size_t c = 0; c < measurements_.cases.size(); ++c) {
    if (measurements_.cases[c].key == key) return c;
  }
  return std::nullopt;
}

std::optional<size_t> Cells::FindAllocator(std::string_view key) const {
  for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
    if (measurements_.allocators[who].key == key) return who;
  }
  return std::nullopt;
}

}  // namespace hakmem::bench
