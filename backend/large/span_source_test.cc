#include "backend/large/span_source.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "backend/large/large.h"

namespace hakmem {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

TEST(SpanSource, ServesEverySizeAndAlignment) {
  for (size_t alignment = 1; alignment <= 16 * kMiB; alignment *= 4) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{5000},
                               kMaxSpanBytes, kMaxSpanBytes + 1, 5 * kMiB}) {
      const SpanAllocation span = SpanSource::Allocate(bytes, alignment);
      ASSERT_NE(span.address, 0u);
      ASSERT_EQ(span.address % alignment, 0u);
      ASSERT_GE(SpanSource::BytesAt(span.address), bytes);
      ASSERT_EQ(SpanSource::BytesAt(span.address + 64), 0u);
      if (span.is_zero && bytes != 0) {
        ASSERT_EQ(At(span.address)[bytes - 1], 0);
      }
      memset(At(span.address), 1, bytes);
      SpanSource::Free(span.address, 0);
      ASSERT_EQ(SpanSource::BytesAt(span.address), 0u);
    }
  }
}

TEST(SpanSource, LargeBlocksGrowAndShrinkKeepingContents) {
  const size_t before = Large::BytesInUse();
  uintptr_t block = SpanSource::Allocate(2 * kMiB, 16).address;
  // In the way, so that the block must move sooner or later.
  const uintptr_t other = SpanSource::Allocate(2 * kMiB, 16).address;
  memset(At(block), 5, 2 * kMiB);
  for (size_t bytes = 3 * kMiB; bytes <= 300 * kMiB; bytes *= 3) {
    block = SpanSource::Resize(block, bytes, 0);
    ASSERT_NE(block, 0u);
    ASSERT_EQ(SpanSource::BytesAt(block), bytes);
    ASSERT_EQ(Large::BytesInUse(), before + bytes + 2 * kMiB);
    ASSERT_EQ(At(block)[0], 5);
    ASSERT_EQ(At(block)[2 * kMiB - 1], 5);
    ASSERT_EQ(At(block)[bytes - 1], 0);
  }
  block = SpanSource::Resize(block, 2 * kMiB, 0);
  ASSERT_NE(block, 0u);
  EXPECT_EQ(At(block)[2 * kMiB - 1], 5);
  SpanSource::Free(block, 0);
  SpanSource::Free(other, 0);
  EXPECT_EQ(Large::BytesInUse(), before);
}

TEST(SpanSource, AnImpossibleResizeLeavesTheBlock) {
  const uintptr_t block = SpanSource::Allocate(2 * kMiB, 16).address;
  memset(At(block), 5, 2 * kMiB);
  EXPECT_EQ(SpanSource::Resize(block, size_t{1} << 60, 0), 0u);
  EXPECT_EQ(SpanSource::Resize(block, SIZE_MAX, 0), 0u);
  EXPECT_EQ(SpanSource::BytesAt(block), 2 * kMiB);
  EXPECT_EQ(At(block)[2 * kMiB - 1], 5);
  SpanSource::Free(block, 0);
}

TEST(SpanSource, RefusesWhatTheOsRefuses) {
  EXPECT_EQ(SpanSource::Allocate(PTRDIFF_MAX, 16).address, 0u);
  EXPECT_EQ(SpanSource::Allocate(1, size_t{1} << 62).address, 0u);
}

TEST(SpanSourceDeathTest, SaysWhatABadAddressIs) {
  int local = 0;
  EXPECT_DEATH(
      SpanSource::Free(reinterpret_cast<uintptr_t>(&local), 0),
      "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: not an address that "
      "hakmem handed out\n$");
  const uintptr_t keep = SpanSource::Allocate(4096, 16).address;
  const uintptr_t span = SpanSource::Allocate(20'000, 16).address;
  EXPECT_DEATH(
      SpanSource::Free(span + 4096, 0),
      "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: 4096 bytes into the "
      "block at 0x[0-9a-f]+\n$");
  SpanSource::Free(span, 0);
  EXPECT_DEATH(
      SpanSource::Free(span, 0),
      "^hakmem\\[[0-9]+\\]: double free of 0x[0-9a-f]+: no block is there any "
      "more\n$");
  SpanSource::Free(keep, 0);
  const uintptr_t large = SpanSource::Allocate(8 * kMiB, 16).address;
  EXPECT_DEATH(SpanSource::Free(large + 5 * kMiB, 0),
               "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: 5242880 "
               "bytes into the "
               "block at 0x[0-9a-f]+\n$");
  SpanSource::Free(large, 0);
}

}  // namespace
}  // namespace hakmem
