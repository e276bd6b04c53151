// Medians, quartiles and intervals of repeated measurements. The median,
// because noise on a shared machine only ever adds time, and in bursts.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_STATISTICS_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace hakmem::bench {

// The value below which `fraction` (0 to 1) of `sorted` lies, interpolated
// between neighbours; 0 for no values.
double Quantile(const std::vector<double>& sorted, double fraction);

// Where the median of what was measured lies, as far as the measurements say.
struct Interval {
  double low = 0;
  double high = 0;
  // Whether it holds the median in 95 of 100 such series of measurements. Fewer
  // than six cannot say so much: then it is their range.
  bool is_confident = false;
};

// From the ranks of the values (binomial distribution): nothing is assumed of
// how they are spread, and nothing is drawn at random.
Interval MedianInterval(const std::vector<double>& sorted);

// The middle of some measurements, and the quartiles that hold half of them.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
  double highest = 0;  // of all
  size_t count = 0;
  Interval interval = {};
};

Spread Summarize(std::vector<double> values);

// Whether the interval of one lies above the other's, without overlap. One
// measurement alone says nothing of its noise: it is taken to be within 5 % of
// the median.
bool IsAbove(const Spread& one, const Spread& other);

// Of positive numbers; 0 for none.
double GeometricMean(const std::vector<double>& values);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_STATISTICS_H_
