#include "tracing/counters/unclassified_sizes.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace hakmem {
namespace {

TEST(UnclassifiedSizes, RangesFollowOneAnother) {
  EXPECT_EQ(RoutingRange::Least(0), 1u);
  EXPECT_EQ(RoutingRange::Most(0), 2048u);
  for (size_t i = 1; i < RoutingRange::kCount; ++i) {
    EXPECT_EQ(RoutingRange::Least(i), RoutingRange::Most(i - 1) + 1);
  }
  EXPECT_EQ(RoutingRange::Most(RoutingRange::kCount - 2), size_t{2} << 20);
  EXPECT_EQ(RoutingRange::Most(RoutingRange::kCount - 1), SIZE_MAX);
}

TEST(UnclassifiedSizes, ARangeIsAnEighthOfADoubling) {
  EXPECT_EQ(RoutingRange::Most(1), 2048u + 256);
  EXPECT_EQ(RoutingRange::Most(8), 4096u);
  EXPECT_EQ(RoutingRange::Most(9), 4096u + 512);
}

TEST(UnclassifiedSizes, EverySizeIsInItsRange) {
  for (size_t i = 0; i < RoutingRange::kCount; ++i) {
    EXPECT_EQ(RoutingRange::Of(RoutingRange::Least(i)), i);
    EXPECT_EQ(RoutingRange::Of(RoutingRange::Most(i)), i);
  }
}

TEST(UnclassifiedSizes, AreCounted) {
  constexpr size_t kKiB = 1024;
  const size_t range = RoutingRange::Of(33 * kKiB);
  EXPECT_EQ(RoutingOf(range).requests, 0u);
  CountRouting(33 * kKiB);
  CountRouting(34 * kKiB);
  const Routing routing = RoutingOf(range);
  EXPECT_EQ(routing.requests, kTracing ? 2u : 0u);
  EXPECT_EQ(routing.bytes, kTracing ? 67 * kKiB : 0);
  EXPECT_LE(routing.least, 33 * kKiB);
  EXPECT_GE(routing.most, 34 * kKiB);
}

}  // namespace
}  // namespace hakmem
