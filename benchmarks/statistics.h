// Medians and quartiles of repeated measurements. The median, because noise on
// a shared machine only ever adds time, and in bursts.
#ifndef HAKMEM_BENCHMARKS_STATISTICS_H_
#define HAKMEM_BENCHMARKS_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace hakmem::bench {

// The value below which `fraction` (0 to 1) of `sorted` lies, interpolated
// between neighbours; 0 for no values.
double Quantile(const std::vector<double>& sorted, double fraction);

// The middle of some measurements, and the quartiles that hold half of them.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
  size_t count = 0;
};

Spread Summarize(std::vector<double> values);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_STATISTICS_H_
