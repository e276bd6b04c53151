// The table has the shape that its parameters say.
#include "benchmarks/workloads/small/log_normal.h"

#include <stdint.h>

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kDraws = 1 << 16;

// The part of `kDraws` evenly spaced draws that `wanted` is true of.
template <class Wanted>
double Part(const LogNormal& sizes, Wanted wanted) {
  uint64_t found = 0;
  for (uint64_t i = 0; i < kDraws; ++i) {
    if (wanted(sizes(i << 16))) ++found;
  }
  return static_cast<double>(found) / kDraws;
}

TEST(LogNormal, HalfIsBelowTheMedian) {
  for (const double median : {64.0, 500.0}) {
    const LogNormal sizes(median, 1.5, 32768);
    EXPECT_NEAR(Part(sizes, [&](size_t size) { return size <= median; }), 0.5,
                0.01);
  }
}

TEST(LogNormal, TwoThirdsLieWithinSigma) {
  const LogNormal sizes(64, 1.5, 32768);
  // 64 times e to the power of -1.5 and 1.5.
  const auto within = [](size_t size) { return size >= 14 && size <= 287; };
  EXPECT_NEAR(Part(sizes, within), 0.683, 0.01);
  const auto large = [](size_t size) { return size > 1286; };  // e^3
  EXPECT_NEAR(Part(sizes, large), 0.0228, 0.001);
}

TEST(LogNormal, MeanIsThatOfTheDistribution) {
  const LogNormal sizes(64, 1.5, 32768);
  double sum = 0;
  for (uint64_t i = 0; i < kDraws; ++i) {
    sum += static_cast<double>(sizes(i << 16));
  }
  // 64 * e^(1.5^2 / 2) is 197; the table has no part of the farthest tail.
  EXPECT_NEAR(sum / kDraws, 195, 3);
}

TEST(LogNormal, SizesStayWithinTheLimits) {
  const LogNormal sizes(8, 3, 1000);
  EXPECT_EQ(sizes(0), 1u);
  EXPECT_EQ(sizes(UINT32_MAX), 1000u);
  EXPECT_EQ(Part(sizes, [](size_t size) { return size < 1 || size > 1000; }),
            0);
  // ln(1000 / 8) / 3 is 1.61 deviations out.
  EXPECT_NEAR(Part(sizes, [](size_t size) { return size == 1000; }), 0.054,
              0.002);
}

}  // namespace
}  // namespace hakmem::bench
