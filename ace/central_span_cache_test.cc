#include "ace/central_span_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "backend/spans/page_heap.h"
#include "base/build_config.h"

namespace hakmem {
namespace {

constexpr size_t kPages = 16;

uintptr_t NewSpan() { return PageHeap::Allocate(kPages, kPageBytes).address; }

class CentralSpanCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kAceMode == AceMode::kOff)
      GTEST_SKIP() << "there is no central span cache";
  }
  void TearDown() override {
    // Returns everything and retires each length.
    for (int epoch = 0; epoch < 8; ++epoch) CentralSpanCache::EndEpoch(true);
  }
};

TEST_F(CentralSpanCacheTest, KeepNothingThatNobodyAsksFor) {
  const size_t used = PageHeap::UsedBytes();
  CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(NewSpan()));
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 0u);
  EXPECT_EQ(PageHeap::UsedBytes(), used);
}

TEST_F(CentralSpanCacheTest, HandFromThreadToThreadWhatIsAskedFor) {
  uintptr_t span = 0;
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(CentralSpanCache::Take(kPages, 1, &span), 0u);
  }
  uintptr_t freed[3];
  for (uintptr_t& each : freed) each = NewSpan();
  std::thread([&] {
    for (const uintptr_t each : freed)
      CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(each));
  }).join();
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 3 * kPages * kPageBytes);
  // Cached: no longer in use by the program.
  EXPECT_EQ(PageHeap::PagesAt(PagemapEntry::At(freed[0])), 0u);
  uintptr_t taken[8];
  ASSERT_EQ(CentralSpanCache::Take(kPages, 8, taken), 3u);
  EXPECT_EQ(taken[2], freed[2]);
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 0u);
  CentralSpanCache::Give(kPages, taken, 3);
}

TEST_F(CentralSpanCacheTest, KeepNoMoreThanTheLimit) {
  if (kAceMode != AceMode::kAdaptive) GTEST_SKIP() << "limits do not adapt";
  const size_t used = PageHeap::UsedBytes();
  uintptr_t span = 0;
  for (int i = 0; i < 16; ++i) CentralSpanCache::Take(kPages, 1, &span);
  uintptr_t spans[8];
  for (uintptr_t& each : spans) {
    each = NewSpan();
    PageHeap::MarkCached(PagemapEntry::At(each), kPages);
  }
  CentralSpanCache::Give(kPages, spans, 8);
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 2 * kPages * kPageBytes);
  EXPECT_EQ(PageHeap::UsedBytes(), used + 2 * kPages * kPageBytes);
}

TEST_F(CentralSpanCacheTest, GiveBackWhatLayUnusedForAnEpoch) {
  uintptr_t span = 0;
  for (int i = 0; i < 64; ++i) CentralSpanCache::Take(kPages, 1, &span);
  CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(NewSpan()));
  CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(NewSpan()));
  CentralSpanCache::EndEpoch(/*force=*/false);  // it was empty during this one
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 2 * kPages * kPageBytes);
  ASSERT_EQ(CentralSpanCache::Take(kPages, 1, &span), 1u);
  CentralSpanCache::Give(kPages, &span, 1);
  CentralSpanCache::EndEpoch(/*force=*/false);
  EXPECT_EQ(CentralSpanCache::HeldBytes(), kPages * kPageBytes);
  CentralSpanCache::EndEpoch(/*force=*/false);
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 0u);
}

// A span that arrived in the epoch in which its length is retired.
TEST_F(CentralSpanCacheTest, GiveBackWhatIsLeftOfARetiredLength) {
  const size_t used = PageHeap::UsedBytes();
  uintptr_t span = 0;
  for (int i = 0; i < 8; ++i) CentralSpanCache::Take(kPages, 1, &span);
  CentralSpanCache::EndEpoch(/*force=*/false);
  CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(NewSpan()));
  CentralSpanCache::EndEpoch(
      /*force=*/false);  // not requested: lowers the limit
  CentralSpanCache::EndEpoch(/*force=*/false);
  EXPECT_EQ(CentralSpanCache::HeldBytes(), 0u);
  EXPECT_EQ(PageHeap::UsedBytes(), used);
}

}  // namespace
}  // namespace hakmem
