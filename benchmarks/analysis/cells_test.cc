// From samples to figures.
#include "benchmarks/analysis/cells.h"

#include "benchmarks/analysis/results_test_helper.h"
#include "benchmarks/harness/metrics.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(Cells, HoldMediansAndIntervals) {
  Measurements measurements = MakeMeasurements();
  AddRuns(measurements, "map", kSegment, 100, 10);
  const Cells cells(measurements);
  const size_t map = CaseOf(measurements, "map");
  const Spread* const time = cells.Find(map, kSegment, kTime);
  ASSERT_NE(time, nullptr);
  EXPECT_NEAR(time->median, 100.25, 1e-9);
  EXPECT_EQ(time->count, 6u);
  EXPECT_DOUBLE_EQ(time->interval.low, 100);
  EXPECT_DOUBLE_EQ(time->interval.high, 100.5);
  EXPECT_EQ(cells.Find(map, kSegment, "chunks"), nullptr);
  EXPECT_EQ(cells.Find(map, kGlibc, kTime), nullptr);
  EXPECT_EQ(cells.repeats(map), 6u);
  EXPECT_TRUE(cells.IsTouched(map));
  EXPECT_FALSE(cells.IsTouched(CaseOf(measurements, "redis")));
}

TEST(Cells, OneByteInOneRunShows) {
  Measurements measurements = MakeMeasurements();
  for (int i = 0; i < 9; ++i) {
    AddRun(measurements, "map", kSegment, 10, 1, {{"libc_malloc", 0}});
  }
  AddRun(measurements, "map", kSegment, 10, 1, {{"libc_malloc", 1}});
  const Cells cells(measurements);
  EXPECT_EQ(
      cells.Find(CaseOf(measurements, "map"), kSegment, "libc_malloc")->median,
      1);
}

TEST(Cells, WhatNotEverySampleHasIsLeftOut) {
  Measurements measurements = MakeMeasurements();
  AddRun(measurements, "map", kSegment, 10, 1, {{"instructions", 5}});
  AddRun(measurements, "map", kSegment, 10, 1);
  const Cells cells(measurements);
  EXPECT_EQ(cells.Find(CaseOf(measurements, "map"), kSegment, "instructions"),
            nullptr);
}

TEST(Cells, KnowFailures) {
  Measurements measurements = MakeMeasurements();
  EXPECT_FALSE(Cells(measurements).any_failure());
  AddFailure(measurements, "map", kGlibc, "took too long");
  const Cells cells(measurements);
  EXPECT_TRUE(cells.any_failure());
  const size_t map = CaseOf(measurements, "map");
  EXPECT_EQ(cells.failure(map, kGlibc), "took too long");
  EXPECT_EQ(cells.failure(map, kSegment), "");
  EXPECT_TRUE(cells.IsTouched(map));
}

}  // namespace
}  // namespace hakmem::bench
