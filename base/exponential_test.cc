#include "base/exponential.h"

#include <cmath>
#include <cstdint>
#include <random>

#include "gtest/gtest.h"

namespace hakmem {
namespace {

TEST(Ln, AgreesWithLibm) {
  for (double x = 0x1p-60; x < 0x1p60; x *= 1.37) {
    EXPECT_NEAR(Ln(x), std::log(x), 1e-9) << x;
  }
  EXPECT_EQ(Ln(1), 0);
}

TEST(OneMinusExp, AgreesWithLibm) {
  EXPECT_EQ(OneMinusExp(0), 0);
  for (double x = 0x1p-60; x < 100; x *= 1.37) {
    const double right = -std::expm1(-x);
    EXPECT_NEAR(OneMinusExp(x), right, 1e-11 * right) << x;
  }
}

TEST(GeometricGapAtRate, HasTheMeanOfItsProbability) {
  std::mt19937_64 random;
  constexpr int kDraws = 200000;
  for (const double rate : {0.001, 0.3, 2.0}) {
    const double p = -std::expm1(-rate);
    double sum = 0;
    for (int i = 0; i < kDraws; ++i) sum += GeometricGapAtRate(rate, random());
    // Five standard deviations.
    EXPECT_NEAR(sum / kDraws, (1 - p) / p, 5 * std::sqrt((1 - p) / kDraws) / p)
        << rate;
  }
}

TEST(GeometricGap, HasTheMeanAndTheShareOfZeros) {
  std::mt19937_64 random;
  constexpr int kDraws = 200000;
  for (const uint64_t interval : {2, 10, 1000}) {
    double sum = 0;
    double zeros = 0;
    for (int i = 0; i < kDraws; ++i) {
      const uint32_t gap = GeometricGap(interval, random());
      sum += gap;
      zeros += gap == 0 ? 1 : 0;
    }
    const auto n = static_cast<double>(interval);
    // Five standard deviations.
    EXPECT_NEAR(sum / kDraws, n - 1, 5 * n / std::sqrt(kDraws)) << interval;
    EXPECT_NEAR(zeros / kDraws, 1 / n, 5 / std::sqrt(n * kDraws)) << interval;
  }
}

TEST(GeometricGap, IsBoundedAtTheEnds) {
  EXPECT_EQ(GeometricGap(1, 0), 0u);
  EXPECT_EQ(GeometricGap(1, UINT64_MAX), 0u);
  EXPECT_EQ(GeometricGap(1000, UINT64_MAX), 0u);
  EXPECT_GT(GeometricGap(1000, 0), 30000u);
  EXPECT_EQ(GeometricGap(1'000'000'000, 0), UINT32_MAX);
  // The median of a long interval: ln 2 of it.
  EXPECT_NEAR(GeometricGap(1'000'000'000, uint64_t{1} << 63), 693147180, 10);
}

}  // namespace
}  // namespace hakmem
