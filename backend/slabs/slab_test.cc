#include "backend/slabs/slab.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <vector>

namespace hakmem {
namespace {

constexpr uintptr_t kBase = uintptr_t{0x7f12} << 32;

std::unique_ptr<Slab> MakeSlab(size_t c) {
  auto slab = std::make_unique<Slab>();
  slab->base = kBase;
  slab->touched_bytes = 0;
  slab->Begin(SizeClass{static_cast<uint8_t>(c)});
  return slab;
}

TEST(Slab, FindsTheBlockOfEveryAddressInEveryClass) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    for (uintptr_t offset = 0; offset < kSlabBytes; ++offset) {
      const bool starts = offset % slab->block_bytes == 0 &&
                          offset / slab->block_bytes < slab->block_count;
      ASSERT_EQ(slab->BlockAt(kBase + offset),
                starts ? offset / slab->block_bytes : Slab::kNotABlock)
          << "class " << c << " offset " << offset;
    }
    ASSERT_EQ(slab->BlockAt(kBase - 1), Slab::kNotABlock);
    ASSERT_EQ(slab->BlockAt(kBase + kSlabBytes), Slab::kNotABlock);
    ASSERT_EQ(slab->BlockAt(kBase + (uintptr_t{1} << 47)), Slab::kNotABlock);
  }
}

TEST(Slab, HandsOutEveryBlockOnceInAddressOrder) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    std::vector<void*> blocks(slab->block_count);
    uint32_t taken = 0;
    for (uint32_t batch = 1; taken < slab->block_count;
         batch = batch % 70 + 1) {
      void* out[70];
      const uint32_t n = slab->Take(out, batch);
      for (uint32_t i = 0; i < n; ++i) blocks[taken + i] = out[n - 1 - i];
      taken += n;
      ASSERT_EQ(slab->touched_bytes, taken * slab->block_bytes);
    }
    for (uint32_t i = 0; i < taken; ++i) {
      ASSERT_EQ(reinterpret_cast<uintptr_t>(blocks[i]),
                kBase + i * uintptr_t{slab->block_bytes});
    }
    ASSERT_TRUE(slab->IsFull());
    void* none;
    ASSERT_EQ(slab->Take(&none, 1), 0u);
  }
}

TEST(Slab, RefusesABlockThatIsFree) {
  const auto slab = MakeSlab(3);
  EXPECT_FALSE(slab->Put(0));
  void* block;
  ASSERT_EQ(slab->Take(&block, 1), 1u);
  EXPECT_TRUE(slab->Put(0));
  EXPECT_FALSE(slab->Put(0));
  EXPECT_TRUE(slab->IsEmpty());
}

TEST(Slab, KeepsItsInvariantsOverRandomTakesAndPuts) {
  std::mt19937 random(1);
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    std::set<uintptr_t> held;
    for (int step = 0; step < 2000; ++step) {
      if (random() % 2 == 0) {
        void* out[32];
        const uint32_t n = slab->Take(out, random() % 32 + 1);
        for (uint32_t i = 0; i < n; ++i) {
          ASSERT_TRUE(held.insert(reinterpret_cast<uintptr_t>(out[i])).second);
        }
      } else if (!held.empty()) {
        auto it = held.lower_bound(kBase + random() % kSlabBytes);
        if (it == held.end()) it = held.begin();
        ASSERT_TRUE(slab->Put(slab->BlockAt(*it)));
        held.erase(it);
      }
      ASSERT_EQ(slab->free_count + held.size(), slab->block_count);
      for (uint32_t w = 0; w < slab->scan_word; ++w) {
        ASSERT_EQ(slab->free_bits[w], 0u);
      }
    }
  }
}

TEST(Slab, FreeEighthsAreThoseOfTheDivision) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    for (uint32_t free = 0; free <= slab->block_count; ++free) {
      slab->free_count = static_cast<uint16_t>(free);
      ASSERT_EQ(slab->FreeEighths(), free * 8 / (slab->block_count + 1u))
          << "class " << c << ", " << free << " free";
    }
  }
}

TEST(Slab, TakesTheLowestFreeBlocksWhateverTheirPattern) {
  std::mt19937_64 random(3);
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    for (int round = 0; round < 200; ++round) {
      // From single blocks to whole words.
      std::set<uint32_t> free;
      for (uint32_t word = 0; word < slab->words(); ++word) {
        uint64_t bits = random() & random();
        if (round % 3 == 1) bits = bits << (random() % 64);
        if (round % 3 == 2) bits = ~uint64_t{0} << (random() % 64);
        for (uint32_t b = 0; b < 64; ++b) {
          const uint32_t block = word * 64 + b;
          if (block >= slab->block_count) bits &= ~(uint64_t{1} << b);
          if ((bits >> b & 1) != 0) free.insert(block);
        }
        slab->free_bits[word] = bits;
      }
      slab->free_count = static_cast<uint16_t>(free.size());
      slab->scan_word = 0;
      while (!free.empty()) {
        void* out[70];
        const uint32_t n =
            slab->Take(out, 1 + static_cast<uint32_t>(random() % 70));
        ASSERT_GT(n, 0u);
        for (uint32_t i = n; i-- != 0; free.erase(free.begin())) {
          ASSERT_EQ(slab->BlockAt(reinterpret_cast<uintptr_t>(out[i])),
                    *free.begin());
        }
        ASSERT_EQ(slab->free_count, free.size());
      }
      for (uint32_t word = 0; word < slab->words(); ++word) {
        ASSERT_EQ(slab->free_bits[word], 0u);
      }
    }
  }
}

TEST(Slab, PutsBackAWordAtATimeAndNothingOfAWordWithADoubleFree) {
  const auto slab = MakeSlab(1);
  void* out[130];
  ASSERT_EQ(slab->Take(out, 130), 130u);
  const uint16_t before = slab->free_count;
  EXPECT_EQ(slab->PutWord(1, 0b1011), 0u);
  EXPECT_EQ(slab->free_count, before + 3);
  EXPECT_EQ(slab->PutWord(1, 0b1110), 0b1010u);
  EXPECT_EQ(slab->free_count, before + 3);
  EXPECT_FALSE(slab->IsBlockFree(66));
  void* again[3];
  ASSERT_EQ(slab->Take(again, 3), 3u);
  EXPECT_EQ(slab->BlockAt(reinterpret_cast<uintptr_t>(again[2])), 64u);
}

TEST(Slab, PutRunStopsAtTheFirstFreeBlock) {
  const auto slab = MakeSlab(1);
  void* out[100];
  ASSERT_EQ(slab->Take(out, 100), 100u);
  const uint16_t blocks[] = {7, 99, 64, 7, 8};
  EXPECT_EQ(slab->PutRun(blocks, 3), 3u);
  EXPECT_EQ(slab->free_count, slab->block_count - 97);
  EXPECT_EQ(slab->PutRun(blocks + 3, 2), 0u);
}

}  // namespace
}  // namespace hakmem
