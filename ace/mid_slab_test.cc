#include "ace/mid_slab.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace hakmem {
namespace {

constexpr uintptr_t kBase = uintptr_t{0x7f12} << 32;
constexpr size_t kPage = 4096;

std::unique_ptr<MidSlab> FullSlab(SizeClass c) {
  auto slab = std::make_unique<MidSlab>();
  slab->base = kBase;
  slab->touched_bytes = 0;
  slab->Begin(c);
  std::vector<void*> blocks(slab->block_count);
  slab->Take(blocks.data(), slab->block_count);
  return slab;
}

TEST(MidSlab, PageRunsHoldEveryPageThatLiesWhollyInTheBlocksAndNoOther) {
  for (size_t c = kTinyClassCount; c < kClassCount; ++c) {
    const auto slab = FullSlab(SizeClass{static_cast<uint8_t>(c)});
    ASSERT_LE(slab->block_count, 28);
    // Every run of blocks, and some with holes.
    for (uint64_t blocks = 1; blocks < uint64_t{1} << slab->block_count;
         blocks = blocks * 3 + 1) {
      std::vector<bool> purged(kSlabBytes / kPage);
      slab->ForEachPageRun(blocks, slab->touched_bytes, kPage,
                           [&](uintptr_t address, size_t bytes) {
                             ASSERT_EQ(address % kPage, 0u);
                             ASSERT_EQ(bytes % kPage, 0u);
                             for (size_t i = 0; i < bytes / kPage; ++i) {
                               const size_t page =
                                   (address - kBase) / kPage + i;
                               ASSERT_FALSE(purged[page]);
                               purged[page] = true;
                             }
                           });
      for (size_t page = 0; page < purged.size(); ++page) {
        // A page is covered when each of its bytes lies in a block of `blocks`.
        const size_t first = page * kPage / slab->block_bytes;
        const size_t last = (page * kPage + kPage - 1) / slab->block_bytes;
        bool covered = last < slab->block_count;
        for (size_t b = first; b <= last && covered; ++b) {
          covered = (blocks >> b & 1) != 0;
        }
        ASSERT_EQ(purged[page], covered) << "class " << c << " page " << page;
      }
    }
  }
}

TEST(MidSlab, ABlockThatComesBackIsResidentAgain) {
  const auto slab = FullSlab(ClassOf(8192));
  for (uint32_t block : {1, 2, 5}) ASSERT_TRUE(slab->Put(block));
  EXPECT_EQ(slab->Unpurged(), 0b100110u);
  EXPECT_EQ(TouchedPageBytes(*slab), kSlabBytes);
  slab->purged = slab->free_bits[0];
  EXPECT_EQ(slab->Unpurged(), 0u);
  EXPECT_EQ(TouchedPageBytes(*slab), kSlabBytes - size_t{3} * 8192);
  void* taken;
  ASSERT_EQ(slab->Take(&taken, 1), 1u);
  EXPECT_EQ(TouchedPageBytes(*slab), kSlabBytes - size_t{2} * 8192);
  ASSERT_TRUE(slab->Put(1));
  EXPECT_EQ(slab->Unpurged(), 0b10u);
  EXPECT_EQ(TouchedPageBytes(*slab), kSlabBytes - size_t{2} * 8192);
  EXPECT_FALSE(slab->Put(1));
}

TEST(MidSlab, ABlockIsDueWhenItLayIdleWhateverTheOthersDo) {
  constexpr uint64_t kDecay = 1000;
  const auto slab = FullSlab(ClassOf(8192));
  for (uint32_t block : {1, 2}) ASSERT_TRUE(slab->Put(block));
  EXPECT_EQ(slab->TakeDue(5000, kDecay, /*force=*/false), 0u);
  // Block 1 is allocated and freed, block 2 lies idle.
  void* taken;
  ASSERT_EQ(slab->Take(&taken, 1), 1u);
  EXPECT_EQ(slab->TakeDue(5400, kDecay, /*force=*/false), 0u);
  ASSERT_TRUE(slab->Put(1));
  EXPECT_EQ(slab->TakeDue(5500, kDecay, /*force=*/false), 0b100u);
  slab->purged |= 0b100;
  EXPECT_EQ(slab->TakeDue(5600, kDecay, /*force=*/false), 0u);
  EXPECT_EQ(slab->TakeDue(6000, kDecay, /*force=*/false), 0b10u);
  slab->purged |= 0b10;
  EXPECT_EQ(slab->TakeDue(9000, kDecay, /*force=*/true), 0u);
}

// Blocks of 2304 bytes: those from 1 on share pages, with up to two others.
TEST(MidSlab, APageIsPurgedWithTheLastBlockThatItLiesIn) {
  const auto slab = FullSlab(ClassOf(2304));
  for (uint32_t block : {3, 4, 6}) ASSERT_TRUE(slab->Put(block));
  slab->purged = slab->free_bits[0];
  ASSERT_TRUE(slab->Put(5));
  EXPECT_EQ(slab->WithPurgedBeside(0b100000), 0b1111000u);
  ASSERT_TRUE(slab->Put(9));
  EXPECT_EQ(slab->WithPurgedBeside(uint64_t{1} << 9), uint64_t{1} << 9);
  EXPECT_EQ(slab->WithPurgedBeside(0), 0u);
}

}  // namespace
}  // namespace hakmem
