#include "benchmarks/analysis/statistics.h"

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

Interval MedianInterval(const std::vector<double>& sorted) {
  if (sorted.empty()) return {};
  const size_t count = sorted.size();
  const auto n = static_cast<double>(count);
  // `tail`: the chance that at most `left_out` of the values lie below the
  // median. As long as it is below 1/40, the interval may begin at the value
  // after those, and end at the one before as many at the other end.
  double tail = 0;
  size_t left_out = 0;
  for (; left_out < count / 2; ++left_out) {
    const auto i = static_cast<double>(left_out);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) -
                     std::lgamma(n - i + 1) - n * std::log(2.0));
    if (tail > 0.025) break;
  }
  if (left_out == 0) return {sorted.front(), sorted.back(), false};
  return {sorted[left_out - 1], sorted[count - left_out], true};
}

Spread Summarize(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {Quantile(values, 0.5),  Quantile(values, 0.25),
          Quantile(values, 0.75), Quantile(values, 1),
          values.size(),          MedianInterval(values)};
}

bool IsAbove(const Spread& one, const Spread& other) {
  constexpr double kOfOne = 0.05;
  const double low =
      one.count == 1 ? one.median * (1 - kOfOne) : one.interval.low;
  const double high =
      other.count == 1 ? other.median * (1 + kOfOne) : other.interval.high;
  return low > high;
}

double GeometricMean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace hakmem::bench
