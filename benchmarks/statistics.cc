#include "benchmarks/statistics.h"

#include <algorithm>
#include <cmath>

namespace hakmem::bench {

double Quantile(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const double below = std::floor(position);
  const auto index = static_cast<size_t>(below);
  if (index + 1 >= sorted.size()) return sorted.back();
  return sorted[index] +
         (position - below) * (sorted[index + 1] - sorted[index]);
}

Spread Summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {Quantile(values, 0.5), Quantile(values, 0.25), Quantile(values, 0.75),
          values.size()};
}

}  // namespace hakmem::bench
