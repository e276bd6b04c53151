#include "benchmarks/statistics.h"

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

}  // namespace
}  // namespace hakmem::bench
