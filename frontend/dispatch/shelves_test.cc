// Shelves from inside: when a class has one, what it may hold, and that all of
// it is found and returned.
#include "frontend/thread_cache/shelves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/os/clock.h"
#include "base/size_classes.h"
#include "base/text/options.h"
#include "frontend/thread_cache/bins.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

// The shelves are the process's: each test leaves them empty, and its classes
// without a shelf.
class ShelvesTest : public testing::Test {
 protected:
  void SetUp() override { heap_ = LinkedBackend::Attach(); }
  void TearDown() override {
    Shelves::Flush();
    EXPECT_EQ(Shelves::Bytes(), 0u);
    LinkedBackend::Detach(heap_);
    EXPECT_EQ(LinkedBackend::Totals().block_bytes, 0u);
  }

  std::vector<void*> Batch(SizeClass c, uint32_t count) {
    std::vector<void*> blocks(count);
    for (void*& block : blocks) {
      EXPECT_EQ(LinkedBackend::Refill(heap_, c, &block, 1), 1u);
    }
    return blocks;
  }
  // Whether a batch finds room; if not, it goes back.
  bool PutBatch(SizeClass c) {
    std::vector<void*> blocks = Batch(c, BatchSlots(c));
    if (Shelves::Put(c, blocks.data(), BatchSlots(c))) return true;
    Return(c, blocks);
    return false;
  }
  // Takes up to `most` blocks and returns them. How many.
  uint32_t TakeAndReturn(SizeClass c, uint32_t most) {
    std::vector<void*> blocks(most);
    blocks.resize(Shelves::Take(c, blocks.data(), most));
    Return(c, blocks);
    return static_cast<uint32_t>(blocks.size());
  }
  void Return(SizeClass c, std::vector<void*> blocks) {
    LinkedBackend::Drain(heap_, c, blocks.data(),
                         static_cast<uint32_t>(blocks.size()));
  }
  void EndEpochs(int count) {
    for (int i = 0; i < count; ++i) Shelves::Age(now_ += 1'000'000);
  }

  LinkedBackend::Heap* heap_ = nullptr;
  static uint64_t now_;
};

uint64_t ShelvesTest::now_ = 1'000'000'000;

TEST_F(ShelvesTest, ABatchIsTakenOnlyAfterSomebodyMissedOne) {
  const SizeClass c = ClassOf(64);
  EXPECT_FALSE(PutBatch(c));
  EXPECT_FALSE(Shelves::MayHold());
  EXPECT_EQ(TakeAndReturn(c, 1), 0u);
  EXPECT_TRUE(PutBatch(c));
  EXPECT_TRUE(Shelves::MayHold());
  EXPECT_EQ(Shelves::Bytes(), BatchSlots(c) * size_t{64});
  EXPECT_FALSE(PutBatch(ClassOf(80))) << "another class";
}

TEST_F(ShelvesTest, WhatWasLeftIsTaken) {
  const SizeClass c = ClassOf(100);
  EXPECT_EQ(TakeAndReturn(c, 1), 0u);
  std::vector<void*> left = Batch(c, 20);
  ASSERT_TRUE(Shelves::Put(c, left.data(), 20));
  std::vector<void*> taken(20);
  // In parts: a bin may have less room.
  ASSERT_EQ(Shelves::Take(c, taken.data(), 7), 7u);
  ASSERT_EQ(Shelves::Take(c, taken.data() + 7, 20), 13u);
  std::sort(left.begin(), left.end());
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, left);
  EXPECT_EQ(Shelves::Bytes(), 0u);
  Return(c, taken);
}

TEST_F(ShelvesTest, GrowsWhileBlocksAreMissed) {
  const SizeClass c = ClassOf(16);
  EXPECT_EQ(TakeAndReturn(c, 1), 0u);
  int batches = 0;
  while (PutBatch(c)) ++batches;
  EXPECT_GE(batches, 2);
  EXPECT_EQ(TakeAndReturn(c, 1000), batches * BatchSlots(c));
  // And keeps its size.
  for (int i = 0; i < batches; ++i) EXPECT_TRUE(PutBatch(c));
  EXPECT_FALSE(PutBatch(c));
}

TEST_F(ShelvesTest, HoldWithinTheirBound) {
  for (size_t bytes = 16; bytes <= kMaxTinyBytes; bytes += 16) {
    const SizeClass c = ClassOf(bytes);
    if (ClassBytes(c) != bytes) continue;
    EXPECT_EQ(TakeAndReturn(c, 1), 0u);
    while (PutBatch(c)) {
    }
  }
  EXPECT_LE(Shelves::Bytes(), Shelves::kMaxBytes);
  EXPECT_GT(Shelves::Bytes(), Shelves::kMaxBytes / 10 * 9);
}

TEST_F(ShelvesTest, WhatIsNotTakenForAnEpochIsReturned) {
  const SizeClass c = ClassOf(256);
  EXPECT_EQ(TakeAndReturn(c, 1), 0u);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(PutBatch(c));
  EndEpochs(1);
  // Two of three slots are in use.
  for (int i = 0; i < 2; ++i) {
    TakeAndReturn(c, BatchSlots(c));
    TakeAndReturn(c, BatchSlots(c));
    ASSERT_TRUE(PutBatch(c));
    ASSERT_TRUE(PutBatch(c));
    EndEpochs(1);
  }
  EXPECT_EQ(Shelves::Bytes(), 2 * BatchSlots(c) * size_t{256});
  EndEpochs(2);
  EXPECT_EQ(Shelves::Bytes(), 0u);
  EXPECT_FALSE(Shelves::MayHold());
  EXPECT_FALSE(PutBatch(c));
}

TEST_F(ShelvesTest, FlushReturnsAll) {
  for (const size_t bytes : {16, 160, 2048}) {
    const SizeClass c = ClassOf(bytes);
    EXPECT_EQ(TakeAndReturn(c, 1), 0u);
    ASSERT_TRUE(PutBatch(c));
  }
  Shelves::Flush();
  EXPECT_EQ(Shelves::Bytes(), 0u);
  EXPECT_FALSE(Shelves::MayHold());
  EXPECT_EQ(LinkedBackend::Totals().block_bytes, 0u);
}

TEST_F(ShelvesTest, VisitsEachBlock) {
  const SizeClass c = ClassOf(48);
  EXPECT_EQ(TakeAndReturn(c, 1), 0u);
  std::vector<void*> left = Batch(c, 10);
  ASSERT_TRUE(Shelves::Put(c, left.data(), 10));
  std::vector<void*> seen;
  Shelves::Visit(
      [](SizeClass size_class, uintptr_t block, void* to) {
        EXPECT_EQ(size_class, ClassOf(48));
        static_cast<std::vector<void*>*>(to)->push_back(
            reinterpret_cast<void*>(block));
      },
      &seen);
  EXPECT_EQ(seen, left);
}

}  // namespace
}  // namespace hakmem
