// Large blocks as ACE serves them: what is cached of a freed one, and which
// requests that serves.
#include <gtest/gtest.h>

#include <cstring>

#include "ace/ace.h"
#include "ace/blocks_test_helper.h"

namespace hakmem {
namespace {

TEST(LargeBlocks, CachedLargeBlocksServeNearlyEqualSizes) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t block = AllocateBlock(5 * kMiB, 16, kAny, nullptr).address;
  memset(At(block), 1, 5 * kMiB);
  FreeBlock(block, nullptr);
  EXPECT_EQ(BlockBytesAt(block), 0u);
  EXPECT_EQ(Ace::Sum().large_cached, 5 * kMiB);
  const SpanAllocation again =
      AllocateBlock(5 * kMiB - 300 * kKiB, 16, kAny, nullptr);
  EXPECT_EQ(again.address, block);
  EXPECT_FALSE(again.is_zero);
  EXPECT_EQ(BlockBytesAt(block), 5 * kMiB);
  FreeBlock(again.address, nullptr);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(LargeBlocks, ZeroedBlocksTakeDenseCachedMemoryAndReplaceSparse) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  for (const bool is_dense : {true, false}) {
    const uintptr_t block = AllocateBlock(6 * kMiB, 16, kAny, nullptr).address;
    memset(At(block), 1, is_dense ? 6 * kMiB : kMiB);
    FreeBlock(block, nullptr);
    // Longer: assembled from the cached memory and more.
    const SpanAllocation zeroed =
        AllocateBlock(9 * kMiB, 16, Ace::Contents::kZero, nullptr);
    EXPECT_TRUE(zeroed.is_zero);
    EXPECT_EQ(Ace::Sum().large_cached, 0u);
    for (size_t i = 0; i < 9 * kMiB; i += 512) {
      ASSERT_EQ(At(zeroed.address)[i], 0) << i;
    }
    // Of that length: cleared by the caller. Only its first sixth is touched
    // now.
    memset(At(zeroed.address), 1, is_dense ? 9 * kMiB : kMiB);
    FreeBlock(zeroed.address, nullptr);
    const SpanAllocation next =
        AllocateBlock(9 * kMiB, 16, Ace::Contents::kZero, nullptr);
    EXPECT_EQ(next.is_zero, !is_dense);
    EXPECT_EQ(Ace::Sum().large_cached, 0u);
    FreeBlock(next.address, nullptr);
    Ace::Collect(0, /*force=*/true);
  }
}

// Caches 9 MiB full of 1 and 7 MiB full of 2.
void CacheTwo() {
  Ace::Collect(0, /*force=*/true);
  const uintptr_t a = AllocateBlock(9 * kMiB, 16, kAny, nullptr).address;
  const uintptr_t b = AllocateBlock(7 * kMiB, 16, kAny, nullptr).address;
  memset(At(a), 1, 9 * kMiB);
  memset(At(b), 2, 7 * kMiB);
  FreeBlock(a, nullptr);
  FreeBlock(b, nullptr);
}

TEST(LargeBlocks, CachedMemoryIsMovedTogetherForOtherSizes) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  CacheTwo();
  const size_t cached = Ace::Sum().large_cached;
  ASSERT_GE(cached, 16 * kMiB);
  const SpanAllocation whole = AllocateBlock(14 * kMiB, 16, kAny, nullptr);
  ASSERT_NE(whole.address, 0u);
  EXPECT_FALSE(whole.is_zero);
  EXPECT_EQ(whole.address % (2 * kMiB), 0u);
  EXPECT_GE(BlockBytesAt(whole.address), 14 * kMiB);
  EXPECT_LE(Ace::Sum().large_cached, cached - 12 * kMiB);
  // The resident memory was reused: it has both blocks' bytes.
  size_t ones = 0;
  size_t twos = 0;
  for (size_t i = 0; i < 14 * kMiB; i += 4096) {
    ones += At(whole.address)[i] == 1;
    twos += At(whole.address)[i] == 2;
  }
  EXPECT_GE(ones, 8 * kMiB / 4096);
  EXPECT_GE(twos, 4 * kMiB / 4096);
  memset(At(whole.address), 3, 14 * kMiB);
  // mremap cannot grow it; it is unchanged.
  if (const uintptr_t grown = ResizeBlock(whole.address, 40 * kMiB)) {
    EXPECT_EQ(At(grown)[14 * kMiB - 1], 3);
    FreeBlock(grown, nullptr);
  } else {
    EXPECT_EQ(At(whole.address)[14 * kMiB - 1], 3);
    FreeBlock(whole.address, nullptr);
  }
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(LargeBlocks, AShortBlockLeavesTheRestOfACachedOne) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  CacheTwo();
  const size_t cached = Ace::Sum().large_cached;
  const SpanAllocation part = AllocateBlock(3 * kMiB, 16, kAny, nullptr);
  EXPECT_FALSE(part.is_zero);
  EXPECT_LE(Ace::Sum().large_cached, cached - 3 * kMiB);
  EXPECT_GE(Ace::Sum().large_cached, cached - 4 * kMiB);
  memset(At(part.address), 4, 3 * kMiB);
  // Other blocks get the rest, and nothing that is in use.
  const SpanAllocation rest = AllocateBlock(12 * kMiB, 16, kAny, nullptr);
  memset(At(rest.address), 5, 12 * kMiB);
  for (size_t i = 0; i < 3 * kMiB; ++i) ASSERT_EQ(At(part.address)[i], 4);
  FreeBlock(part.address, nullptr);
  FreeBlock(rest.address, nullptr);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(LargeBlocks, AVectorThatBeginsToGrowGetsALongerBlockToGrowInto) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t old = AllocateBlock(7 * kMiB, 16, kAny, nullptr).address;
  memset(At(old), 1, 7 * kMiB);
  FreeBlock(old, nullptr);
  const SpanAllocation vector = AllocateBlock(1536 * kKiB, 16, kAny, nullptr);
  EXPECT_EQ(vector.address, old);
  EXPECT_FALSE(vector.is_zero);
  EXPECT_EQ(BlockBytesAt(old), 1536 * kKiB);
  EXPECT_EQ(Ace::Sum().large_cached, 7 * kMiB - 1536 * kKiB);
  ASSERT_EQ(ResizeBlock(old, 6 * kMiB), old);
  EXPECT_EQ(At(old)[6 * kMiB - 1], 1);
  EXPECT_EQ(Ace::Sum().large_cached, 1 * kMiB);
  FreeBlock(old, nullptr);
  EXPECT_EQ(Ace::Sum().large_cached, 7 * kMiB);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(LargeBlocks, AShrunkenBlockKeepsItsTailForAWhile) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t block = AllocateBlock(6 * kMiB, 16, kAny, nullptr).address;
  memset(At(block), 1, 6 * kMiB);
  ASSERT_EQ(ResizeBlock(block, 3 * kMiB), block);
  EXPECT_EQ(BlockBytesAt(block), 3 * kMiB);
  EXPECT_EQ(Ace::Sum().large_cached, 3 * kMiB);
  ASSERT_EQ(ResizeBlock(block, 5 * kMiB), block);
  EXPECT_EQ(At(block)[5 * kMiB - 1], 1);
  EXPECT_EQ(Ace::Sum().large_cached, 1 * kMiB);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
  EXPECT_EQ(At(block)[5 * kMiB - 1], 1);
  // Grows beyond its old size, and keeps its contents.
  const uintptr_t grown = ResizeBlock(block, 20 * kMiB);
  ASSERT_NE(grown, 0u);
  EXPECT_EQ(At(grown)[5 * kMiB - 1], 1);
  memset(At(grown), 2, 20 * kMiB);
  ASSERT_EQ(ResizeBlock(grown, 10 * kMiB), grown);
  FreeBlock(grown, nullptr);  // with its tail
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

}  // namespace
}  // namespace hakmem
