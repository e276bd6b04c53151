#include "benchmarks/analysis/statistics.h"

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(Summarize, OddCountHasItsMiddle) {
  const Spread spread = Summarize({5, 1, 3, 2, 4});
  EXPECT_DOUBLE_EQ(spread.median, 3);
  EXPECT_DOUBLE_EQ(spread.low, 2);
  EXPECT_DOUBLE_EQ(spread.high, 4);
  EXPECT_EQ(spread.count, 5u);
}

TEST(Summarize, EvenCountInterpolates) {
  const Spread spread = Summarize({4, 1, 2, 3});
  EXPECT_DOUBLE_EQ(spread.median, 2.5);
  EXPECT_DOUBLE_EQ(spread.low, 1.75);
  EXPECT_DOUBLE_EQ(spread.high, 3.25);
}

TEST(Summarize, OneOutlierMovesNothing) {
  const Spread spread = Summarize({10, 10, 10, 10, 10, 10, 10, 10, 9000});
  EXPECT_DOUBLE_EQ(spread.median, 10);
  EXPECT_DOUBLE_EQ(spread.high, 10);
}

TEST(Summarize, OneAndNone) {
  const Spread one = Summarize({7});
  EXPECT_DOUBLE_EQ(one.median, 7);
  EXPECT_DOUBLE_EQ(one.low, 7);
  EXPECT_DOUBLE_EQ(one.high, 7);
  EXPECT_EQ(Summarize({}).count, 0u);
  EXPECT_DOUBLE_EQ(Summarize({}).median, 0);
}

TEST(Quantile, EndsAreTheExtremes) {
  const std::vector<double> sorted = {1, 2, 8};
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 1), 8);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.75), 5);
}

std::vector<double> Ranks(int count) {
  std::vector<double> ranks;
  for (int i = 1; i <= count; ++i) ranks.push_back(i);
  return ranks;
}

TEST(MedianInterval, FewMeasurementsHaveTheirRange) {
  for (const int count : {2, 5}) {
    const Interval interval = MedianInterval(Ranks(count));
    EXPECT_EQ(interval.low, 1);
    EXPECT_EQ(interval.high, count);
    EXPECT_FALSE(interval.is_confident);
  }
  EXPECT_EQ(MedianInterval({}).high, 0);
}

// The ranks that tables of the sign test give.
TEST(MedianInterval, IsMadeOfRanks) {
  struct Known {
    int count;
    double low;
    double high;
  };
  for (const Known& known :
       {Known{6, 1, 6}, Known{8, 1, 8}, Known{9, 2, 8}, Known{11, 2, 10},
        Known{15, 4, 12}, Known{25, 8, 18}, Known{100, 40, 61}}) {
    const Interval interval = MedianInterval(Ranks(known.count));
    EXPECT_EQ(interval.low, known.low) << known.count;
    EXPECT_EQ(interval.high, known.high) << known.count;
    EXPECT_TRUE(interval.is_confident);
  }
  // No overflow where there are many.
  const Interval many = MedianInterval(Ranks(10'000));
  EXPECT_NEAR(many.low, 5000 - 98, 2);
  EXPECT_NEAR(many.high, 5001 + 98, 2);
}

TEST(IsAbove, WantsIntervalsApart) {
  EXPECT_TRUE(IsAbove(Summarize({10, 11, 12}), Summarize({7, 8, 9})));
  EXPECT_FALSE(IsAbove(Summarize({7, 8, 9}), Summarize({10, 11, 12})));
  EXPECT_FALSE(IsAbove(Summarize({10, 11, 12}), Summarize({7, 8, 10})));
  // The range of few, not their quartiles.
  EXPECT_FALSE(IsAbove(Summarize({10, 11, 12}), Summarize({7, 8, 8, 8, 11})));
}

TEST(IsAbove, OneMeasurementIsNotExact) {
  EXPECT_FALSE(IsAbove(Summarize({109}), Summarize({100})));
  EXPECT_TRUE(IsAbove(Summarize({111}), Summarize({100})));
  EXPECT_FALSE(IsAbove(Summarize({109, 110}), Summarize({105})));
}

TEST(GeometricMean, TwiceAndHalfIsOne) {
  EXPECT_DOUBLE_EQ(GeometricMean({2, 0.5}), 1);
  EXPECT_DOUBLE_EQ(GeometricMean({3}), 3);
  EXPECT_EQ(GeometricMean({}), 0);
}

}  // namespace
}  // namespace hakmem::bench
