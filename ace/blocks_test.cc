// Blocks above tiny of every size and alignment, without thread bins.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "ace/blocks_test_helper.h"
#include "backend/large/large.h"

namespace hakmem {
namespace {

SpanAllocation Allocate(size_t bytes, size_t alignment) {
  return AllocateBlock(bytes, alignment, Ace::Contents::kAny, nullptr);
}

TEST(Blocks, ServesEverySizeAndAlignment) {
  for (size_t alignment = 1; alignment <= 16 * kMiB; alignment *= 4) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{5000},
                               kMaxSpanBytes, kMaxSpanBytes + 1, 5 * kMiB}) {
      const SpanAllocation span = Allocate(bytes, alignment);
      ASSERT_NE(span.address, 0u);
      ASSERT_EQ(span.address % alignment, 0u);
      ASSERT_GE(BlockBytesAt(span.address), bytes);
      ASSERT_EQ(BlockBytesAt(span.address + 64), 0u);
      if (span.is_zero && bytes != 0) {
        ASSERT_EQ(At(span.address)[bytes - 1], 0);
      }
      memset(At(span.address), 1, bytes);
      FreeBlock(span.address, nullptr);
      ASSERT_EQ(BlockBytesAt(span.address), 0u);
    }
  }
}

TEST(Blocks, LargeBlocksGrowAndShrinkKeepingContents) {
  const size_t before = Large::BytesInUse();
  uintptr_t block = Allocate(2 * kMiB, 16).address;
  // An obstacle, so that the block must move at some point.
  const uintptr_t other = Allocate(2 * kMiB, 16).address;
  memset(At(block), 5, 2 * kMiB);
  for (size_t bytes = 3 * kMiB; bytes <= 300 * kMiB; bytes *= 3) {
    block = ResizeBlock(block, bytes);
    ASSERT_NE(block, 0u);
    ASSERT_EQ(BlockBytesAt(block), bytes);
    ASSERT_EQ(Large::BytesInUse(), before + bytes + 2 * kMiB);
    ASSERT_EQ(At(block)[0], 5);
    ASSERT_EQ(At(block)[2 * kMiB - 1], 5);
    At(block)[bytes - 1] = 7;
  }
  block = ResizeBlock(block, 2 * kMiB);
  ASSERT_NE(block, 0u);
  EXPECT_EQ(At(block)[2 * kMiB - 1], 5);
  FreeBlock(block, nullptr);
  FreeBlock(other, nullptr);
  EXPECT_EQ(Large::BytesInUse(), before);
}

TEST(Blocks, AnImpossibleResizeLeavesTheBlock) {
  const uintptr_t block = Allocate(2 * kMiB, 16).address;
  memset(At(block), 5, 2 * kMiB);
  EXPECT_EQ(ResizeBlock(block, size_t{1} << 60), 0u);
  EXPECT_EQ(ResizeBlock(block, SIZE_MAX), 0u);
  EXPECT_EQ(BlockBytesAt(block), 2 * kMiB);
  EXPECT_EQ(At(block)[2 * kMiB - 1], 5);
  FreeBlock(block, nullptr);
}

TEST(Blocks, RefusesWhatTheOsRefuses) {
  EXPECT_EQ(Allocate(PTRDIFF_MAX, 16).address, 0u);
  EXPECT_EQ(Allocate(1, size_t{1} << 62).address, 0u);
}

TEST(BlocksDeathTest, SaysWhatABadAddressIs) {
  int local = 0;
  EXPECT_DEATH(
      FreeBlock(reinterpret_cast<uintptr_t>(&local), nullptr),
      "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: not an address that "
      "hakmem handed out\n$");
  const uintptr_t keep = Allocate(4096, 16).address;
  const uintptr_t span = Allocate(20'000, 16).address;
  EXPECT_DEATH(
      FreeBlock(span + 4096, nullptr),
      "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: 4096 bytes into the "
      "block at 0x[0-9a-f]+\n$");
  FreeBlock(span, nullptr);
  EXPECT_DEATH(
      FreeBlock(span, nullptr),
      "^hakmem\\[[0-9]+\\]: double free of 0x[0-9a-f]+: no block is there any "
      "more\n$");
  FreeBlock(keep, nullptr);
  const uintptr_t large = Allocate(8 * kMiB, 16).address;
  EXPECT_DEATH(FreeBlock(large + 5 * kMiB, nullptr),
               "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: 5242880 "
               "bytes into the "
               "block at 0x[0-9a-f]+\n$");
  FreeBlock(large, nullptr);
}

}  // namespace
}  // namespace hakmem
