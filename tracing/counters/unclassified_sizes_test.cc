#include "tracing/counters/unclassified_sizes.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace hakmem {
namespace {

TEST(UnclassifiedSizes, RangesFollowOneAnother) {
  EXPECT_EQ(UnclassifiedRange::Least(0), 1u);
  EXPECT_EQ(UnclassifiedRange::Most(0), 2048u);
  for (size_t i = 1; i < UnclassifiedRange::kCount; ++i) {
    EXPECT_EQ(UnclassifiedRange::Least(i), UnclassifiedRange::Most(i - 1) + 1);
  }
  EXPECT_EQ(UnclassifiedRange::Most(UnclassifiedRange::kCount - 2),
            size_t{2} << 20);
  EXPECT_EQ(UnclassifiedRange::Most(UnclassifiedRange::kCount - 1), SIZE_MAX);
}

TEST(UnclassifiedSizes, ARangeIsAnEighthOfADoubling) {
  EXPECT_EQ(UnclassifiedRange::Most(1), 2048u + 256);
  EXPECT_EQ(UnclassifiedRange::Most(8), 4096u);
  EXPECT_EQ(UnclassifiedRange::Most(9), 4096u + 512);
}

TEST(UnclassifiedSizes, EverySizeIsInItsRange) {
  for (size_t i = 0; i < UnclassifiedRange::kCount; ++i) {
    EXPECT_EQ(UnclassifiedRange::Of(UnclassifiedRange::Least(i)), i);
    EXPECT_EQ(UnclassifiedRange::Of(UnclassifiedRange::Most(i)), i);
  }
}

TEST(UnclassifiedSizes, AreCounted) {
  constexpr size_t kKiB = 1024;
  const size_t range = UnclassifiedRange::Of(33 * kKiB);
  EXPECT_EQ(RoutingOf(range).requests, 0u);
  CountUnclassified(33 * kKiB);
  CountUnclassified(34 * kKiB);
  const Routing routing = RoutingOf(range);
  EXPECT_EQ(routing.requests, kTracing ? 2u : 0u);
  EXPECT_EQ(routing.bytes, kTracing ? 67 * kKiB : 0);
  EXPECT_LE(routing.least, 33 * kKiB);
  EXPECT_GE(routing.most, 34 * kKiB);
}

}  // namespace
}  // namespace hakmem
