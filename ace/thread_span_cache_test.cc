#include "ace/thread_span_cache.h"

#include <gtest/gtest.h>

#include <memory>

namespace hakmem {
namespace {

constexpr size_t kPages = 9;

class ThreadSpanCacheTest : public testing::Test {
 protected:
  ThreadSpanCacheTest() : bins_(std::make_unique<ThreadSpanCache>()) {
    bins_->Begin();
  }

  void SetUp() override {
    if (kAceMode != AceMode::kAdaptive) GTEST_SKIP() << "limits do not adapt";
  }

  void Miss(size_t pages, int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(bins_->Pop(pages, pages).address, 0u);
    }
  }

  std::unique_ptr<ThreadSpanCache> bins_;
};

TEST_F(ThreadSpanCacheTest, KeepNothingOfALengthThatNobodyAsksFor) {
  EXPECT_FALSE(bins_->Push(kPages, 0x1000));
  Miss(kPages, 7);
  EXPECT_FALSE(bins_->Push(kPages, 0x1000));
  Miss(kPages, 1);
  EXPECT_TRUE(bins_->Push(kPages, 0x1000));
  EXPECT_FALSE(bins_->Push(kPages + 1, 0x2000));
  EXPECT_EQ(bins_->held_bytes(), kPages * kPageBytes);
}

TEST_F(ThreadSpanCacheTest, TheLastComesFirst) {
  Miss(kPages, 3 * 8);
  for (const uintptr_t span : {0x1000, 0x2000, 0x3000}) {
    ASSERT_TRUE(bins_->Push(kPages, span));
  }
  EXPECT_FALSE(bins_->Push(kPages, 0x4000));
  EXPECT_EQ(bins_->Pop(kPages, kPages).address, 0x3000u);
  uintptr_t oldest = 0;
  bins_->TakeOldest(kPages, 1, &oldest);
  EXPECT_EQ(oldest, 0x1000u);
  EXPECT_EQ(bins_->Pop(kPages, kPages).address, 0x2000u);
  EXPECT_EQ(bins_->held_bytes(), 0u);
}

TEST_F(ThreadSpanCacheTest, ALongerSpanServesWhenItIsAtHand) {
  Miss(20, 8);
  ASSERT_TRUE(bins_->Push(20, 0x20000));
  EXPECT_EQ(bins_->Pop(17, 19).address, 0u);
  EXPECT_EQ(bins_->Pop(21, 23).address, 0u);
  const ThreadSpanCache::Span span = bins_->Pop(18, 20);
  EXPECT_EQ(span.address, 0x20000u);
  EXPECT_EQ(span.pages, 20u);
  EXPECT_EQ(bins_->held_bytes(), 0u);
  EXPECT_EQ(bins_->Pop(1, ThreadSpanCache::kMaxPages).address, 0u);
}

TEST_F(ThreadSpanCacheTest, GrowNoFurtherThanMemoryAllows) {
  for (const size_t pages :
       {size_t{1}, size_t{64}, ThreadSpanCache::kMaxPages}) {
    Miss(pages, 10'000);
    EXPECT_GE(bins_->Limit(pages), 1u);
    EXPECT_LE(bins_->Limit(pages), ThreadSpanCache::kMaxSpans);
    EXPECT_LE(bins_->Limit(pages) * pages * kPageBytes, size_t{1} << 20);
  }
}

TEST_F(ThreadSpanCacheTest, KeepWithinTheBudgetAllTogether) {
  Miss(kPages, 8 * 8);
  // Enough lengths that their limits alone would allow much more.
  for (size_t pages = 100; pages < 200; ++pages) Miss(pages, 8);
  size_t kept = 0;
  const auto push_all = [&] {
    for (size_t pages = 100; pages < 200; ++pages) {
      if (bins_->Push(pages, pages << 12)) kept += pages * kPageBytes;
    }
  };
  push_all();
  EXPECT_EQ(bins_->held_bytes(), kept);
  EXPECT_LE(kept, size_t{1} << 20);
  EXPECT_GT(kept, size_t{1} << 19);
  // The threads' share of the pool.
  constexpr size_t kBudget = size_t{8} << 20;
  bins_->SetBudget(kBudget * ThreadSpanCache::kPoolShare * 4, 4);
  push_all();
  EXPECT_LE(kept, kBudget);
  EXPECT_GT(kept, kBudget - (size_t{1} << 20));
}

TEST_F(ThreadSpanCacheTest, OfManyThreadsKeepLess) {
  const auto budget_of = [&](size_t threads) {
    bins_->SetBudget(/*pool_bytes=*/0, threads);
    return bins_->budget();
  };
  EXPECT_EQ(budget_of(1), size_t{1} << 20);
  EXPECT_EQ(budget_of(64), size_t{1} << 20);
  EXPECT_EQ(budget_of(128), size_t{1} << 19);
  EXPECT_EQ(budget_of(5000), size_t{1} << 18);
}

TEST_F(ThreadSpanCacheTest, AreReachedByOthersOnceShared) {
  Miss(kPages, 8);
  ASSERT_TRUE(bins_->Push(kPages, 1 << 12));
  int calls = 0;
  const auto take = [&] {
    ++calls;
    uintptr_t span;
    bins_->TakeOldest(kPages, 1, &span);
    bins_->PurgeSlotArrays();
  };
  EXPECT_FALSE(bins_->TryFromOtherThread(take));
  bins_->Share();
  {
    // The owner is changing its bins.
    const ThreadSpanCache::OwnerLock lock(*bins_);
    EXPECT_FALSE(bins_->TryFromOtherThread(take));
  }
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(bins_->TryFromOtherThread(take));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(bins_->held_bytes(), 0u);
  ASSERT_TRUE(bins_->Push(kPages, 2 << 12));
  EXPECT_EQ(bins_->Pop(kPages, kPages).address, uintptr_t{2} << 12);
}

TEST_F(ThreadSpanCacheTest, GiveUpWhatLayUnusedForAnEpoch) {
  Miss(kPages, 4 * 8);
  for (uintptr_t span = 1; span <= 4; ++span) {
    ASSERT_TRUE(bins_->Push(kPages, span << 12));
  }
  EXPECT_EQ(bins_->EndEpoch(kPages), 0u);  // it was empty during this one
  ASSERT_NE(bins_->Pop(kPages, kPages).address, 0u);
  ASSERT_TRUE(bins_->Push(kPages, 4 << 12));
  // Only one of four was ever needed.
  EXPECT_EQ(bins_->EndEpoch(kPages), 3u);
  EXPECT_EQ(bins_->Limit(kPages), 1u);
}

TEST_F(ThreadSpanCacheTest, RetireALengthThatNobodyAsksForAnyMore) {
  Miss(kPages, 8 * 8);
  EXPECT_EQ(bins_->Limit(kPages), 8u);
  bins_->EndEpoch(kPages);
  for (int epoch = 0; epoch < 4; ++epoch) bins_->EndEpoch(kPages);
  EXPECT_EQ(bins_->Limit(kPages), 0u);
}

TEST_F(ThreadSpanCacheTest, TellAThreadThatAllocatesWhatOthersFree) {
  EXPECT_FALSE(bins_->MissesFarExceedFrees(kPages));
  Miss(kPages, 8);
  EXPECT_TRUE(bins_->MissesFarExceedFrees(kPages));
  // A thread that frees as it allocates is served by its own bins.
  bins_->NoteFree(kPages);
  EXPECT_FALSE(bins_->MissesFarExceedFrees(kPages));
  for (int i = 0; i < 1000; ++i) {
    Miss(kPages, 1);
    bins_->NoteFree(kPages);
  }
  EXPECT_FALSE(bins_->MissesFarExceedFrees(kPages));
  bins_->EndEpoch(kPages);
  Miss(kPages, 8);
  EXPECT_TRUE(bins_->MissesFarExceedFrees(kPages));
}

}  // namespace
}  // namespace hakmem
