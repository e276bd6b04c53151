// The nursery: threads that start while others run share slabs for their first
// blocks, and get their own when they need more than a few.

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "backend/segment/segment.h"
#include "backend/slabs/slab.h"
#include "base/os/clock.h"
#include "base/size_classes.h"

namespace hakmem {
namespace {

using Heap = SegmentBackend::Heap;

constexpr SizeClass kClass = ClassOf(256);

class Nursery : public testing::Test {
 protected:
  ~Nursery() override {
    for (Heap* heap : heaps_) SegmentBackend::Detach(heap);
    SegmentBackend::Collect(CoarseMilliseconds(), /*force=*/true);
  }

  // Returns the heap of a starting thread. It has no segment: earlier tests
  // have returned theirs.
  Heap* Start(bool beside_others) {
    Heap* heap = SegmentBackend::Attach();
    if (beside_others) SegmentBackend::StartBesideOthers(heap);
    heaps_.push_back(heap);
    return heap;
  }

  static void* Take(Heap* heap, SizeClass size_class) {
    void* block = nullptr;
    EXPECT_EQ(SegmentBackend::Refill(heap, size_class, &block, 1), 1u);
    return block;
  }
  static void Free(Heap* heap, SizeClass size_class, void* block) {
    SegmentBackend::Drain(heap, size_class, &block, 1);
  }
  static uintptr_t SlabOf(const void* block) {
    return reinterpret_cast<uintptr_t>(block) / kSlabBytes;
  }

  std::vector<Heap*> heaps_;
};

TEST_F(Nursery, FirstBlocksOfManyThreadsLieInOneSlab) {
  std::set<uintptr_t> slabs;
  std::vector<void*> blocks;
  for (int i = 0; i < 20; ++i) {
    blocks.push_back(Take(Start(/*beside_others=*/true), kClass));
    slabs.insert(SlabOf(blocks.back()));
  }
  EXPECT_EQ(slabs.size(), 1u);
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), 20u);
  // Each frees another thread's block.
  for (size_t i = 0; i < 20; ++i) Free(heaps_[i], kClass, blocks[19 - i]);
}

TEST_F(Nursery, AThreadAloneAndBlocksBelowACacheLineHaveSlabsOfTheirOwn) {
  Heap* alone = Start(/*beside_others=*/false);
  Heap* one = Start(/*beside_others=*/true);
  Heap* other = Start(/*beside_others=*/true);
  void* a = Take(alone, kClass);
  void* b = Take(one, kClass);
  EXPECT_NE(SlabOf(a), SlabOf(b));
  Free(alone, kClass, a);
  Free(one, kClass, b);
  constexpr SizeClass kSmall = ClassOf(48);
  a = Take(one, kSmall);
  b = Take(other, kSmall);
  EXPECT_NE(SlabOf(a), SlabOf(b));
  Free(one, kSmall, a);
  Free(other, kSmall, b);
}

TEST_F(Nursery, WhoNeedsMoreThanAFewBlocksHasHisOwn) {
  Heap* one = Start(/*beside_others=*/true);
  Heap* other = Start(/*beside_others=*/true);
  std::vector<void*> ones;
  for (int i = 0; i < 2000; ++i) ones.push_back(Take(one, kClass));
  void* young = Take(other, kClass);
  size_t beside = 0;
  for (void* block : ones) beside += SlabOf(block) == SlabOf(young);
  EXPECT_LE(beside * 256, size_t{128} << 10);
  EXPECT_NE(SlabOf(ones.back()), SlabOf(young));
  Free(other, kClass, young);
  for (void* block : ones) Free(one, kClass, block);
}

TEST_F(Nursery, AQuietThreadBorrowsAgainWhatItReturns) {
  Heap* quiet = Start(/*beside_others=*/true);
  Heap* other = Start(/*beside_others=*/true);
  SegmentBackend::SetQuiet(quiet, true);
  // It has a segment, but no page for the class.
  constexpr SizeClass kSmall = ClassOf(48);
  void* small = Take(quiet, kSmall);
  void* young = Take(other, kClass);
  const auto borrows = [&] {
    void* block = Take(quiet, kClass);
    const bool is_shared = SlabOf(block) == SlabOf(young);
    Free(quiet, kClass, block);
    return is_shared;
  };
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(borrows()) << i;
  // One that allocates much has pages of its own.
  SegmentBackend::SetQuiet(quiet, false);
  EXPECT_FALSE(borrows());
  Free(quiet, kSmall, small);
  Free(other, kClass, young);
}

TEST_F(Nursery, ThreadsTakeAndFreeAtOnce) {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) Start(/*beside_others=*/true);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      std::vector<void*> blocks;
      for (int round = 0; round < 1000; ++round) {
        blocks.push_back(Take(heaps_[i], kClass));
        *static_cast<int*>(blocks.back()) = i;
        if (round % 3 == 0) {
          EXPECT_EQ(*static_cast<int*>(blocks.back()), i);
          Free(heaps_[i], kClass, blocks.back());
          blocks.pop_back();
        }
      }
      for (void* block : blocks) {
        EXPECT_EQ(*static_cast<int*>(block), i);
        Free(heaps_[i], kClass, block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hakmem
