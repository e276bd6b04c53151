// The sizes of the workloads that draw them log-uniformly.
#include "benchmarks/worker/log_uniform.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr size_t kLow = 1 << 10;
constexpr size_t kHigh = 256 << 10;
constexpr LogUniform kSizes(kLow, kHigh);
constexpr size_t kDraws = 400'000;

std::vector<size_t> Sorted(uint64_t seed) {
  Random random(seed);
  std::vector<size_t> sizes(kDraws);
  for (size_t& size : sizes) size = kSizes.Draw(random);
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

TEST(LogUniform, FillsItsRangeAndNoMore) {
  const std::vector<size_t> sizes = Sorted(1);
  EXPECT_GE(sizes.front(), kLow);
  EXPECT_LE(sizes.front(), kLow + 1);
  EXPECT_LT(sizes.back(), kHigh);
  EXPECT_GE(sizes.back(), kHigh - 16);
}

TEST(LogUniform, QuantilesLieOnTheCurve) {
  const std::vector<size_t> sizes = Sorted(2);
  for (int percent = 1; percent < 100; ++percent) {
    const double expected = kLow * std::pow(256, percent / 100.0);
    const auto size = static_cast<double>(sizes[kDraws / 100 * percent]);
    EXPECT_NEAR(size / expected, 1, 0.02) << percent << " %";
  }
}

TEST(LogUniform, MeanIsWhatTheoryHas) {
  double sum = 0;
  for (const size_t size : Sorted(3)) sum += static_cast<double>(size);
  const double theory = (kHigh - kLow) / std::log(256.0);
  EXPECT_NEAR(sum / kDraws / theory, 1, 0.01);
}

TEST(LogUniform, ManySizesAreDifferent) {
  std::vector<size_t> sizes = Sorted(4);
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  EXPECT_GT(sizes.size(), 50'000u);
}

TEST(LogUniform, ServesOtherRanges) {
  constexpr LogUniform kNarrow(100, 102);
  Random random(5);
  size_t small = 0;
  for (int i = 0; i < 1000; ++i) {
    const size_t size = kNarrow.Draw(random);
    EXPECT_TRUE(size == 100 || size == 101) << size;
    if (size == 100) ++small;
  }
  EXPECT_NEAR(static_cast<double>(small), 502, 60);
}

}  // namespace
}  // namespace hakmem::bench
