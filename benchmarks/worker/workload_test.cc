// What a workload reports by way of its Run.
#include "benchmarks/worker/workload.h"

#include <utility>
#include <vector>

#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

using Series = std::vector<std::pair<double, double>>;

// The series of a run that was given `offered` points: 0, 1, 2, ...
Series SeriesOf(uint64_t offered) {
  Run run(1, 100);
  for (uint64_t i = 0; i < offered; ++i) run.AddPoint(i, 2 * i + 1);
  testing::internal::CaptureStdout();
  run.Print("some", 1);
  return WorkerLine::Parse(testing::internal::GetCapturedStdout()).series;
}

uint64_t Scaled(uint64_t usual, uint64_t effort) {
  return Run(1, effort).Scaled(usual);
}

TEST(Run, HasNoSeriesWithoutPoints) {
  EXPECT_TRUE(SeriesOf(0).empty());
  EXPECT_EQ(SeriesOf(1).size(), 1u);
}

TEST(Run, PrintsThePointsOfItsSeries) {
  const Series series = SeriesOf(Run::kMostPoints);
  ASSERT_EQ(series.size(), Run::kMostPoints);
  for (size_t i = 0; i < series.size(); ++i) {
    EXPECT_EQ(series[i].first, i);
    EXPECT_EQ(series[i].second, 2 * i + 1);
  }
}

TEST(Run, ThinsALongSeriesEvenly) {
  for (const uint64_t offered : {65, 127, 128, 129, 1000, 4096, 10'001}) {
    const Series series = SeriesOf(offered);
    ASSERT_GE(series.size(), Run::kMostPoints / 2) << offered;
    ASSERT_LE(series.size(), Run::kMostPoints) << offered;
    const double step = series[1].first;
    EXPECT_GE(step, 2) << offered;
    for (size_t i = 0; i < series.size(); ++i) {
      EXPECT_EQ(series[i].first, static_cast<double>(i) * step);
    }
    // To the end, but for what is less than a step.
    EXPECT_GT(static_cast<double>(series.size()) * step,
              static_cast<double>(offered) - 1);
  }
}

TEST(Run, ScalesWork) {
  EXPECT_EQ(Scaled(70, 100), 70u);
  EXPECT_EQ(Scaled(1000, 5), 50u);
  EXPECT_EQ(Scaled(70, 1), 1u);
}

}  // namespace
}  // namespace hakmem::bench
