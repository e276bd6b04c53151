// Summaries of the samples: for each allocator, case and metric a median and an
// interval.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_CELLS_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_CELLS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/analysis/statistics.h"
#include "benchmarks/harness/sample.h"

namespace hakmem::bench {

class Cells {
 public:
  using Spreads = std::map<std::string, Spread, std::less<>>;

  // `measurements` must outlive this.
  explicit Cells(const Measurements& measurements);

  const Measurements& measurements() const { return measurements_; }

  // By metric; empty when there are no samples. A metric that not every sample
  // has is left out.
  const Spreads& spreads(size_t a_case, size_t who) const {
    return spreads_[Index(a_case, who)];
  }
  // Null when the metric was not measured.
  const Spread* Find(size_t a_case, size_t who, std::string_view metric) const;

  // Why the allocator failed in the case; empty when it did not.
  const std::string& failure(size_t a_case, size_t who) const {
    return failures_[Index(a_case, who)];
  }
  bool any_failure() const;

  // Samples of the allocator that has the most in the case.
  size_t repeats(size_t a_case) const { return repeats_[a_case]; }
  // Whether anything was measured or failed in the case.
  bool IsTouched(size_t a_case) const;

  // Index of the case of that key.
  std::optional<size_t> FindCase(std::string_view key) const;
  std::optional<size_t> FindAllocator(std::string_view key) const;

 private:
  size_t Index(size_t a_case, size_t who) const {
    return a_case * measurements_.allocators.size() + who;
  }

  const Measurements& measurements_;
  std::vector<Spreads> spreads_;
  std::vector<std::string> failures_;
  std::vector<size_t> repeats_;  // by case
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_CELLS_H_
