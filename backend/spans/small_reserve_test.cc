#include "backend/spans/small_reserve.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

uintptr_t Allocate(size_t bytes, size_t alignment = 0) {
  return reinterpret_cast<uintptr_t>(SmallReserve::Allocate(bytes, alignment));
}

// Allocates all blocks left for `bytes`.
std::vector<uintptr_t> Exhaust(size_t bytes) {
  std::vector<uintptr_t> blocks;
  while (const uintptr_t block = Allocate(bytes)) blocks.push_back(block);
  return blocks;
}

void FreeAll(const std::vector<uintptr_t>& blocks) {
  for (const uintptr_t block : blocks) EXPECT_TRUE(SmallReserve::Free(block));
}

TEST(SmallReserve, ServesEverySizeThoughOthersAreUsedUp) {
  std::set<uintptr_t> bytes_taken;
  std::vector<uintptr_t> all;
  for (size_t bytes = 0; bytes <= SmallReserve::kMaxBytes; bytes += 8) {
    const std::vector<uintptr_t> blocks = Exhaust(bytes);
    for (const uintptr_t block : blocks) {
      EXPECT_TRUE(SmallReserve::Owns(block));
      EXPECT_GE(SmallReserve::BytesAt(block), bytes);
      for (size_t i = 0; i < SmallReserve::BytesAt(block); i += 16) {
        ASSERT_TRUE(bytes_taken.insert(block + i).second) << bytes;
      }
      all.push_back(block);
    }
  }
  for (size_t c = 1; ClassBytes(SizeClass{static_cast<uint8_t>(c)}) <=
                     SmallReserve::kMaxBytes;
       ++c) {
    EXPECT_EQ(Allocate(ClassBytes(SizeClass{static_cast<uint8_t>(c)})), 0u);
  }
  FreeAll(all);
  for (size_t bytes = 1; bytes <= SmallReserve::kMaxBytes; bytes += 500) {
    const std::vector<uintptr_t> blocks = Exhaust(bytes);
    EXPECT_GE(blocks.size(), 1u) << bytes;
    FreeAll(blocks);
  }
}

TEST(SmallReserve, KeepsAlignmentOrRefuses) {
  for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
    for (const size_t bytes : {1, 100, 3000, 4096}) {
      const uintptr_t block = Allocate(bytes, alignment);
      ASSERT_NE(block, 0u) << bytes << " at " << alignment;
      EXPECT_EQ(block % alignment, 0u);
      EXPECT_GE(SmallReserve::BytesAt(block), size_t(bytes));
      EXPECT_TRUE(SmallReserve::Free(block));
    }
  }
  EXPECT_EQ(Allocate(1, 8192), 0u);
  EXPECT_EQ(Allocate(SmallReserve::kMaxBytes + 1), 0u);
  EXPECT_EQ(Allocate(SIZE_MAX), 0u);
}

TEST(SmallReserve, TellsWhatIsNoBlockInUse) {
  const uintptr_t block = Allocate(100);
  const size_t bytes = SmallReserve::BytesAt(block);
  EXPECT_FALSE(SmallReserve::Free(block + 16));
  EXPECT_EQ(SmallReserve::BytesAt(block + 16), 0u);
  EXPECT_EQ(SmallReserve::PlaceOf(block + 16).start, block);
  EXPECT_EQ(SmallReserve::PlaceOf(block + 16).bytes, bytes);
  EXPECT_TRUE(SmallReserve::Free(block));
  EXPECT_FALSE(SmallReserve::Free(block));
  EXPECT_EQ(SmallReserve::BytesAt(block), 0u);
  // The space after a page's last block.
  const std::vector<uintptr_t> blocks = Exhaust(100);
  EXPECT_FALSE(SmallReserve::Free(blocks.back() + bytes));
  EXPECT_EQ(SmallReserve::PlaceOf(blocks.back() + bytes).bytes, 0u);
  FreeAll(blocks);
  int elsewhere;
  EXPECT_FALSE(SmallReserve::Owns(reinterpret_cast<uintptr_t>(&elsewhere)));
}

TEST(SmallReserve, ThreadsNeverShareABlock) {
  constexpr size_t kBytes = 512;  // 8 blocks
  std::atomic<size_t> served = 0;
  std::vector<std::thread> threads;
  for (char mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&served, mark] {
      for (int i = 0; i < 20'000; ++i) {
        const uintptr_t block = Allocate(kBytes);
        if (block == 0) continue;
        ++served;
        auto* bytes = reinterpret_cast<volatile char*>(block);
        bytes[0] = mark;
        bytes[kBytes - 1] = mark;
        ASSERT_EQ(bytes[0], mark);
        ASSERT_EQ(bytes[kBytes - 1], mark);
        ASSERT_TRUE(SmallReserve::Free(block));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(served, 0u);
}

}  // namespace
}  // namespace hakmem
