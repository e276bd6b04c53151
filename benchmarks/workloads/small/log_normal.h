// Block sizes whose logarithm is normal: most are near the median, either side
// of it is as likely, and the few large ones hold a good part of the bytes.
//
// Drawing is a look-up in a table that stands for the distribution: 4096 sizes,
// each the middle of an equally likely part. So it costs little, is the same
// for all, and never gives a size beyond the table's last.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_SMALL_LOG_NORMAL_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_SMALL_LOG_NORMAL_H_

#include <math.h>
#include <stddef.h>
#include <stdint.h>

namespace hakmem::bench {

class LogNormal {
 public:
  // Half of the sizes are below `median`; `sigma` is the standard deviation of
  // their natural logarithm. Sizes below 1 become 1, those above `high`, at
  // most 65535, become `high`. Takes some `high` steps.
  LogNormal(double median, double sigma, size_t high) {
    size_t size = 1;
    for (size_t i = 0; i < kEntries; ++i) {
      const double part = (static_cast<double>(i) + 0.5) / kEntries;
      while (size < high && PartUpTo(size, median, sigma) < part) ++size;
      sizes_[i] = static_cast<uint16_t>(size);
    }
  }

  // The size that `bits`, 32 random ones, stand for.
  size_t operator()(uint64_t bits) const {
    return sizes_[bits >> (32 - kEntryBits)];
  }

 private:
  static constexpr unsigned kEntryBits = 12;
  static constexpr size_t kEntries = size_t{1} << kEntryBits;

  // The part of all sizes that, rounded, are at most `size`.
  static double PartUpTo(size_t size, double median, double sigma) {
    const double deviation =
        log((static_cast<double>(size) + 0.5) / median) / sigma;
    return 0.5 * erfc(-deviation * M_SQRT1_2);
  }

  uint16_t sizes_[kEntries];
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_SMALL_LOG_NORMAL_H_
