// How long calls took: a histogram fine enough for the worst of thousands.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LATENCIES_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LATENCIES_H_

#include <stddef.h>
#include <stdint.h>

#include <bit>

namespace hakmem::bench {

// Counts times in bins, 32 from one power of two to the next, so a bin is at
// most 3 % wide. Allocates nothing.
class Latencies {
 public:
  void Add(uint64_t ns) {
    ++bins_[BinOf(ns)];
    ++count_;
    if (ns > longest_) longest_ = ns;
  }

  uint64_t count() const { return count_; }
  uint64_t longest() const { return longest_; }

  // The time that all but `part` of the calls stayed below or at, to within the
  // width of a bin: with 0.001 the 99.9th percentile. 0 when there was no call.
  uint64_t AllBut(double part) const {
    const auto beyond =
        static_cast<uint64_t>(part * static_cast<double>(count_));
    uint64_t above = 0;
    for (size_t bin = kBins; bin-- != 0;) {
      above += bins_[bin];
      if (above > beyond) {
        const uint64_t last = LastOf(bin);
        return last < longest_ ? last : longest_;
      }
    }
    return 0;
  }

 private:
  // Up to this every number has a bin of its own.
  static constexpr unsigned kFineBits = 5;
  static constexpr uint64_t kFine = uint64_t{1} << kFineBits;
  static constexpr size_t kBins = (64 - kFineBits + 1) * kFine;

  static size_t BinOf(uint64_t ns) {
    if (ns < kFine) return ns;
    const auto shift =
        static_cast<unsigned>(std::bit_width(ns)) - kFineBits - 1;
    return (shift << kFineBits) + (ns >> shift);
  }
  static uint64_t LastOf(size_t bin) {
    if (bin < 2 * kFine) return bin;
    const auto shift = static_cast<unsigned>(bin >> kFineBits) - 1;
    return (((bin - (uint64_t{shift} << kFineBits)) + 1) << shift) - 1;
  }

  uint64_t bins_[kBins] = {};
  uint64_t count_ = 0;
  uint64_t longest_ = 0;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_LATENCIES_H_
