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

}  // namespace
}  // namespace hakmem
