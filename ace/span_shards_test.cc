#include "ace/span_shards.h"

#include <gtest/gtest.h>

#include <thread>

#include "ace_mode.h"
#include "backend/spans/page_heap.h"

namespace hakmem {
namespace {

constexpr size_t kPages = 16;

uintptr_t NewSpan() { return PageHeap::Allocate(kPages, kPageBytes).address; }

class SpanShardsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kAceMode == AceMode::kOff) GTEST_SKIP() << "there are no shards";
  }
  void TearDown() override {
    // Everything back, and each length retired.
    for (int epoch = 0; epoch < 8; ++epoch) SpanShards::EndEpoch(true);
  }
};

TEST_F(SpanShardsTest, KeepNothingThatNobodyAsksFor) {
  const size_t used = PageHeap::UsedBytes();
  SpanShards::GiveUsed(kPages, NewSpan());
  EXPECT_EQ(SpanShards::HeldBytes(), 0u);
  EXPECT_EQ(PageHeap::UsedBytes(), used);
}

TEST_F(SpanShardsTest, HandFromThreadToThreadWhatIsAskedFor) {
  uintptr_t span = 0;
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(SpanShards::Take(kPages, 1, &span), 0u);
  }
  uintptr_t freed[3];
  for (uintptr_t& each : freed) each = NewSpan();
  std::thread([&] {
    for (const uintptr_t each : freed) SpanShards::GiveUsed(kPages, each);
  }).join();
  EXPECT_EQ(SpanShards::HeldBytes(), 3 * kPages * kPageBytes);
  // Cached: no longer the program's.
  EXPECT_EQ(PageHeap::PagesAt(freed[0]), 0u);
  uintptr_t taken[8];
  ASSERT_EQ(SpanShards::Take(kPages, 8, taken), 3u);
  EXPECT_EQ(taken[2], freed[2]);
  EXPECT_EQ(SpanShards::HeldBytes(), 0u);
  SpanShards::Give(kPages, taken, 3);
}

TEST_F(SpanShardsTest, KeepNoMoreThanTheLimit) {
  if (kAceMode != AceMode::kAdaptive) GTEST_SKIP() << "limits do not adapt";
  const size_t used = PageHeap::UsedBytes();
  uintptr_t span = 0;
  for (int i = 0; i < 16; ++i) SpanShards::Take(kPages, 1, &span);
  uintptr_t spans[8];
  for (uintptr_t& each : spans) {
    each = NewSpan();
    PageHeap::MarkCached(each, kPages);
  }
  SpanShards::Give(kPages, spans, 8);
  EXPECT_EQ(SpanShards::HeldBytes(), 2 * kPages * kPageBytes);
  EXPECT_EQ(PageHeap::UsedBytes(), used + 2 * kPages * kPageBytes);
}

TEST_F(SpanShardsTest, GiveBackWhatLayUnusedForAnEpoch) {
  uintptr_t span = 0;
  for (int i = 0; i < 64; ++i) SpanShards::Take(kPages, 1, &span);
  SpanShards::GiveUsed(kPages, NewSpan());
  SpanShards::GiveUsed(kPages, NewSpan());
  SpanShards::EndEpoch(/*force=*/false);  // it was empty in this one
  EXPECT_EQ(SpanShards::HeldBytes(), 2 * kPages * kPageBytes);
  ASSERT_EQ(SpanShards::Take(kPages, 1, &span), 1u);
  SpanShards::Give(kPages, &span, 1);
  SpanShards::EndEpoch(/*force=*/false);
  EXPECT_EQ(SpanShards::HeldBytes(), kPages * kPageBytes);
  SpanShards::EndEpoch(/*force=*/false);
  EXPECT_EQ(SpanShards::HeldBytes(), 0u);
}

// A span that came in the epoch in which its length is retired.
TEST_F(SpanShardsTest, GiveBackWhatIsLeftOfARetiredLength) {
  const size_t used = PageHeap::UsedBytes();
  uintptr_t span = 0;
  for (int i = 0; i < 8; ++i) SpanShards::Take(kPages, 1, &span);
  SpanShards::EndEpoch(/*force=*/false);
  SpanShards::GiveUsed(kPages, NewSpan());
  SpanShards::EndEpoch(/*force=*/false);  // not asked for: the limit falls
  SpanShards::EndEpoch(/*force=*/false);
  EXPECT_EQ(SpanShards::HeldBytes(), 0u);
  EXPECT_EQ(PageHeap::UsedBytes(), used);
}

}  // namespace
}  // namespace hakmem
