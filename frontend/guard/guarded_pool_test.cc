// The pool's slots: where blocks lie, what faults, which errors frees detect,
// and which block an address is attributed to.
#include "frontend/guard/guarded_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "base/os/os_memory.h"

namespace hakmem {
namespace {

using Answer = GuardedPool::Answer;
using End = GuardedPool::End;

volatile char* At(uintptr_t address) {
  return reinterpret_cast<volatile char*>(address);
}

CallSite Here() { return CallSite::Now(nullptr); }

class GuardedPoolTest : public testing::Test {
 protected:
  uintptr_t Allocate(size_t bytes, End end, size_t alignment = 0) {
    const uintptr_t block = pool_.Allocate(bytes, alignment, end, Here());
    EXPECT_NE(block, 0u) << bytes;
    return block;
  }
  Answer Free(uintptr_t block) { return pool_.Free(block, Here(), &finding_); }

  GuardedPool pool_;
  NearestAllocation finding_;
  const size_t page_ = os::PageBytes();
};

using GuardedPoolDeathTest = GuardedPoolTest;

// Ends by a signal, or by a sanitizer's report.
#define EXPECT_FAULT(access) EXPECT_DEATH(access, "")

TEST_F(GuardedPoolDeathTest, ARightBlockEndsWhereNothingMayGo) {
  ASSERT_EQ(pool_.Begin(4), 0);
  for (const size_t bytes : {size_t{16}, size_t{64}, page_, size_t{16384}}) {
    const uintptr_t block = Allocate(bytes, End::kRight);
    EXPECT_EQ((block + bytes) % page_, 0u);
    memset(reinterpret_cast<void*>(block), 1, bytes);
    EXPECT_FAULT(*At(block + bytes) = 1);
    EXPECT_FAULT((void)*At(block + bytes));
  }
}

TEST_F(GuardedPoolDeathTest, ALeftBlockBeginsWhereNothingMayGo) {
  ASSERT_EQ(pool_.Begin(4), 0);
  for (const size_t bytes : {size_t{1}, size_t{50}, page_, size_t{16384}}) {
    const uintptr_t block = Allocate(bytes, End::kLeft);
    EXPECT_EQ(block % page_, 0u);
    memset(reinterpret_cast<void*>(block), 1, bytes);
    EXPECT_FAULT(*At(block - 1) = 1);
  }
}

TEST_F(GuardedPoolDeathTest, PagesBesideTheBlocksAreOutOfReach) {
  ASSERT_EQ(pool_.Begin(1), 0);
  const uintptr_t right = Allocate(64, End::kRight);
  *At(right + 64 - page_) = *At(right + 64 - page_);  // its own page
  EXPECT_FAULT(*At(right + 64 - page_ - 1) = 1);
}

TEST_F(GuardedPoolDeathTest, AFreedBlockIsOutOfReach) {
  ASSERT_EQ(pool_.Begin(2), 0);
  for (const End end : {End::kLeft, End::kRight}) {
    const uintptr_t block = Allocate(6000, end);
    ASSERT_EQ(Free(block), Answer::kGood);
    EXPECT_FAULT(*At(block) = 1);
    EXPECT_FAULT(*At(block + 5999) = 1);
  }
}

TEST_F(GuardedPoolTest, BlocksAreAlignedAndZero) {
  ASSERT_EQ(pool_.Begin(1), 0);
  for (const End end : {End::kLeft, End::kRight}) {
    for (size_t alignment = 1; alignment <= page_; alignment *= 2) {
      for (const size_t bytes : {0u, 1u, 15u, 17u, 100u, 5000u, 16384u}) {
        const uintptr_t block = Allocate(bytes, end, alignment);
        EXPECT_EQ(block % std::max<size_t>(alignment, 16), 0u);
        size_t told = 1;
        EXPECT_EQ(pool_.BytesAt(block, &told, &finding_), Answer::kGood);
        EXPECT_EQ(told, bytes);
        for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(*At(block + i), 0);
        memset(reinterpret_cast<void*>(block), 0x5a, bytes);
        ASSERT_EQ(Free(block), Answer::kGood);
      }
    }
  }
}

TEST_F(GuardedPoolTest, WhatFitsNoSlotIsNotTaken) {
  ASSERT_EQ(pool_.Begin(1), 0);
  EXPECT_EQ(pool_.Allocate(16385, 0, End::kLeft, Here()), 0u);
  EXPECT_EQ(pool_.Allocate(SIZE_MAX, 0, End::kLeft, Here()), 0u);
  EXPECT_EQ(pool_.Allocate(16, 2 * page_, End::kLeft, Here()), 0u);
  const uintptr_t block = Allocate(16, End::kRight);
  EXPECT_EQ(pool_.Allocate(16, 0, End::kLeft, Here()), 0u) << "all in use";
  ASSERT_EQ(Free(block), Answer::kGood);
  Allocate(16, End::kRight);
}

TEST_F(GuardedPoolTest, TheSlotFreedLongestAgoIsUsedNext) {
  ASSERT_EQ(pool_.Begin(8), 0);
  std::vector<uintptr_t> blocks;
  // Slots that were never used come first.
  for (int i = 0; i < 8; ++i) {
    blocks.push_back(Allocate(64, End::kLeft));
    ASSERT_EQ(Free(blocks.back()), Answer::kGood);
  }
  EXPECT_EQ(std::set<uintptr_t>(blocks.begin(), blocks.end()).size(), 8u);
  for (const uintptr_t block : blocks) {
    EXPECT_EQ(Allocate(64, End::kLeft), block);
    ASSERT_EQ(Free(block), Answer::kGood);
  }
}

TEST_F(GuardedPoolTest, EveryChangedByteBesideTheBlockIsFound) {
  ASSERT_EQ(pool_.Begin(1), 0);
  for (const End end : {End::kLeft, End::kRight}) {
    const uintptr_t block = Allocate(100, end);
    const uintptr_t pages = block & ~(page_ - 1);
    for (uintptr_t at = pages; at < pages + page_; ++at) {
      if (at >= block && at < block + 100) continue;
      const char kept = *At(at);
      *At(at) = 0;
      ASSERT_EQ(Free(block), Answer::kOverwritten);
      const bool behind = at > block;
      EXPECT_EQ(finding_.place, behind ? Place::kBehind : Place::kBefore);
      EXPECT_EQ(finding_.distance,
                behind ? at - (block + 100) + 1 : block - at);
      EXPECT_EQ(finding_.block.address, block);
      *At(at) = kept;
    }
    EXPECT_EQ(Free(block), Answer::kGood);
  }
}

TEST_F(GuardedPoolTest, BadFreesAreDistinguished) {
  ASSERT_EQ(pool_.Begin(3), 0);
  EXPECT_EQ(Free(pool_.begin()), Answer::kNoBlock);
  const uintptr_t block = Allocate(100, End::kRight);
  for (const size_t offset : {1u, 16u, 99u}) {
    EXPECT_EQ(Free(block + offset), Answer::kNotAStart);
    EXPECT_EQ(finding_.place, Place::kInside);
    EXPECT_EQ(finding_.distance, offset);
    EXPECT_FALSE(finding_.block.is_free);
  }
  EXPECT_EQ(Free(block + 128), Answer::kNotAStart);
  EXPECT_EQ(finding_.place, Place::kBehind);
  EXPECT_EQ(finding_.distance, 29u);
  EXPECT_EQ(pool_.Sum().live, 1u);
  ASSERT_EQ(Free(block), Answer::kGood);
  EXPECT_EQ(Free(block), Answer::kNotInUse);
  EXPECT_TRUE(finding_.block.is_free);
  EXPECT_GT(finding_.block.freed.stack.count, 0u);
  EXPECT_GT(finding_.block.allocated.stack.count, 0u);
  EXPECT_EQ(Free(block + 16), Answer::kNotAStart);
  size_t bytes;
  EXPECT_EQ(pool_.BytesAt(block, &bytes, &finding_), Answer::kNotInUse);
}

TEST_F(GuardedPoolTest, AnAddressBelongsToTheNearestBlock) {
  ASSERT_EQ(pool_.Begin(3), 0);
  EXPECT_FALSE(pool_.Find(pool_.begin(), &finding_));
  const uintptr_t first = Allocate(64, End::kRight);
  const uintptr_t second = Allocate(64, End::kLeft);
  ASSERT_EQ(first + 64 + page_, second);  // one guard page between them
  ASSERT_TRUE(pool_.Find(first + 64, &finding_));
  EXPECT_EQ(finding_.block.address, first);
  EXPECT_EQ(finding_.place, Place::kBehind);
  EXPECT_EQ(finding_.distance, 1u);
  ASSERT_TRUE(pool_.Find(second - 1, &finding_));
  EXPECT_EQ(finding_.block.address, second);
  EXPECT_EQ(finding_.place, Place::kBefore);
  EXPECT_EQ(finding_.distance, 1u);
  // The third slot was never used: its nearest neighbour is the second.
  ASSERT_TRUE(pool_.Find(second + 16384 + page_, &finding_));
  EXPECT_EQ(finding_.block.address, second);
  EXPECT_FALSE(pool_.Find(pool_.begin() + pool_.length() - 1, &finding_));
  // A freed block is reported as freed, wherever in its slot.
  ASSERT_EQ(Free(first), Answer::kGood);
  ASSERT_TRUE(pool_.Find(first - 2 * page_, &finding_));
  EXPECT_EQ(finding_.block.address, first);
  EXPECT_TRUE(finding_.block.is_free);
}

TEST_F(GuardedPoolTest, TotalsAreThoseOfTheBlocks) {
  ASSERT_EQ(pool_.Begin(4), 0);
  const uintptr_t block = Allocate(100, End::kRight);
  const uintptr_t other = Allocate(page_ + 1, End::kLeft);
  GuardedPool::Totals totals = pool_.Sum();
  EXPECT_EQ(totals.live, 2u);
  EXPECT_EQ(totals.live_bytes, 100u + page_ + 1);
  EXPECT_EQ(totals.committed_bytes, 3 * page_);
  ASSERT_EQ(Free(block), Answer::kGood);
  ASSERT_EQ(Free(other), Answer::kGood);
  totals = pool_.Sum();
  EXPECT_EQ(totals.sampled, 2u);
  EXPECT_EQ(totals.live, 0u);
  EXPECT_EQ(totals.live_bytes, 0u);
  EXPECT_EQ(totals.committed_bytes, 0u);
}

TEST_F(GuardedPoolTest, ThreadsShareTheSlots) {
  ASSERT_EQ(pool_.Begin(16), 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      NearestAllocation finding;
      for (int i = 0; i < 2000; ++i) {
        const size_t bytes = static_cast<size_t>(i) % 300 + 1;
        const uintptr_t block = pool_.Allocate(
            bytes, 0, i % 2 == 0 ? End::kLeft : End::kRight, Here());
        if (block == 0) continue;
        memset(reinterpret_cast<void*>(block), t, bytes);
        for (size_t b = 0; b < bytes; ++b) {
          if (*At(block + b) != t) abort();
        }
        if (pool_.Free(block, Here(), &finding) != Answer::kGood) abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool_.Sum().live, 0u);
  EXPECT_GT(pool_.Sum().sampled, 0u);
}

}  // namespace
}  // namespace hakmem
