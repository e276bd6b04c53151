// Which pages of a slab lie in free blocks only, in every class.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <random>
#include <vector>

#include "backend/slabs/slab.h"
#include "base/os/os_memory.h"

namespace hakmem {
namespace {

constexpr uintptr_t kBase = uintptr_t{0x7f12} << 32;

size_t PageBytes() { return os::PageBytes(); }
size_t PageCount() { return kSlabBytes / PageBytes(); }

std::unique_ptr<Slab> MakeSlab(size_t c) {
  auto slab = std::make_unique<Slab>();
  slab->base = kBase;
  slab->Begin(SizeClass{static_cast<uint8_t>(c)});
  return slab;
}

// Takes all blocks, then frees each with a probability of `percent`, or runs of
// blocks if `in_runs`.
std::unique_ptr<Slab> PartialSlab(size_t c, uint32_t percent, bool in_runs,
                                  std::mt19937& random) {
  auto slab = MakeSlab(c);
  std::vector<void*> blocks(slab->block_count);
  slab->Take(blocks.data(), slab->block_count);
  bool frees = random() % 100 < percent;
  for (uint32_t block = 0; block < slab->block_count; ++block) {
    if (!in_runs || random() % (slab->block_count / 6 + 1) == 0) {
      frees = random() % 100 < percent;
    }
    if (frees) {
      EXPECT_TRUE(slab->Put(block));
    }
  }
  return slab;
}

// The same page by page, without arithmetic on words.
uint32_t FreePagesByBytes(const Slab& slab) {
  uint32_t pages = 0;
  for (size_t page = 0; page < PageCount(); ++page) {
    const size_t start = page * PageBytes();
    bool has_block = false;
    bool is_free = start < slab.touched_bytes;
    for (uint32_t block = 0; block < slab.block_count; ++block) {
      const size_t begin = block * size_t{slab.block_bytes};
      if (begin >= start + PageBytes() || begin + slab.block_bytes <= start) {
        continue;
      }
      has_block = true;
      is_free = is_free && slab.IsBlockFree(block);
    }
    if (has_block && is_free) pages |= uint32_t{1} << page;
  }
  return pages;
}

uint32_t FreeBits(const Slab& slab) {
  uint32_t count = 0;
  for (uint32_t word = 0; word < slab.words(); ++word) {
    count += static_cast<uint32_t>(std::popcount(slab.free_bits[word]));
  }
  return count;
}

template <typename Check>
void InEveryClass(Check&& check) {
  std::mt19937 random(1);
  for (size_t c = 1; c < kClassCount; ++c) {
    SCOPED_TRACE(testing::Message() << "class " << c);
    for (const uint32_t percent : {0, 50, 90, 99, 100}) {
      for (int round = 0; round < 20; ++round) {
        check(*PartialSlab(c, percent, round % 2 != 0, random), random);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(SlabPages, APageIsFreeWhenEachOfItsBlocksIs) {
  InEveryClass([](const Slab& slab, std::mt19937&) {
    ASSERT_EQ(slab.FreePages(), FreePagesByBytes(slab));
  });
}

// Each page alone keeps one block, then each block alone is in use.
TEST(SlabPages, OneBlockInUseKeepsThePagesThatItLiesOnAndNoOther) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    slab->touched_bytes = kSlabUsableBytes;
    for (uint32_t block = 0; block < slab->block_count; ++block) {
      slab->free_bits[block / 64] ^= uint64_t{1} << (block % 64);
      ASSERT_EQ(slab->FreePages(), FreePagesByBytes(*slab))
          << "class " << c << " block " << block;
      slab->free_bits[block / 64] ^= uint64_t{1} << (block % 64);
    }
  }
}

TEST(SlabPages, NothingIsResidentBeyondWhatWasTouched) {
  for (size_t c = 1; c < kClassCount; ++c) {
    const auto slab = MakeSlab(c);
    for (uint32_t block = 0; block < slab->block_count; ++block) {
      slab->touched_bytes = block * slab->block_bytes;
      ASSERT_EQ(slab->FreePages(), FreePagesByBytes(*slab));
    }
  }
}

TEST(SlabPages, PageRunsAreThePagesOfTheMask) {
  const auto slab = MakeSlab(1);
  const auto most = static_cast<uint32_t>((uint64_t{1} << PageCount()) - 1);
  for (uint32_t pages = 0; pages <= most; ++pages) {
    uint32_t visited = 0;
    uintptr_t end = 0;
    slab->ForEachPageRun(pages, [&](uintptr_t address, size_t bytes) {
      ASSERT_GT(address, end);  // neighbours are one run
      end = address + bytes;
      const size_t first = (address - kBase) / PageBytes();
      for (size_t i = 0; i < bytes / PageBytes(); ++i) {
        visited |= uint32_t{1} << (first + i);
      }
    });
    ASSERT_EQ(visited, pages);
  }
}

TEST(SlabPages, WithdrawnBlocksAreThoseOnThePagesAndComeBack) {
  InEveryClass([](Slab& slab, std::mt19937& random) {
    const uint32_t free = slab.FreePages();
    const uint32_t due = free & static_cast<uint32_t>(random());
    const uint16_t before = slab.free_count;
    const uint32_t free_bits = FreeBits(slab);
    std::vector<bool> was_free;
    for (uint32_t b = 0; b < slab.block_count; ++b) {
      was_free.push_back(slab.IsBlockFree(b));
    }
    slab.WithdrawPages(due);
    ASSERT_EQ(slab.FreePages() & due, 0u);
    ASSERT_EQ(slab.free_count, FreeBits(slab));
    for (uint32_t b = 0; b < slab.block_count; ++b) {
      const size_t begin = b * size_t{slab.block_bytes};
      bool on_due = false;
      for (size_t page = begin / PageBytes();
           page <= (begin + slab.block_bytes - 1) / PageBytes(); ++page) {
        on_due = on_due || (due >> page & 1) != 0;
      }
      ASSERT_EQ(slab.IsBlockFree(b), was_free[b] && !on_due);
    }
    ASSERT_EQ(slab.PutBackPages(due, /*is_purged=*/true), Slab::kNotABlock);
    ASSERT_EQ(slab.purged_pages, due);
    ASSERT_EQ(slab.free_count, before);
    ASSERT_EQ(FreeBits(slab), free_bits);
    ASSERT_EQ(slab.FreePages(), free);
    const size_t touched =
        (slab.touched_bytes + PageBytes() - 1) / PageBytes() * PageBytes();
    ASSERT_EQ(TouchedPageBytes(slab),
              touched - size_t(std::popcount(due)) * PageBytes());
  });
}

TEST(SlabPages, WhatIsHandedOutIsResidentAndNotIdle) {
  InEveryClass([](Slab& slab, std::mt19937& random) {
    const uint32_t free = slab.FreePages();
    slab.purged_pages = static_cast<uint16_t>(free & random());
    slab.idle_pages = static_cast<uint16_t>(free & ~slab.purged_pages);
    while (!slab.IsFull()) {
      const uint16_t purged = slab.purged_pages;
      const uint16_t idle = slab.idle_pages;
      void* out[50];
      slab.Take(out, 1 + random() % 50);
      ASSERT_EQ(slab.purged_pages, purged & FreePagesByBytes(slab));
      ASSERT_EQ(slab.idle_pages, idle & FreePagesByBytes(slab));
    }
    ASSERT_EQ(slab.purged_pages | slab.idle_pages, 0);
  });
}

TEST(SlabPages, ABlockFreedWhileItIsWithdrawnIsFound) {
  const auto slab = MakeSlab(2);
  std::vector<void*> blocks(slab->block_count);
  slab->Take(blocks.data(), slab->block_count);
  for (uint32_t b = 1; b < slab->block_count; ++b) ASSERT_TRUE(slab->Put(b));
  const uint32_t pages = slab->FreePages();
  ASSERT_EQ(pages, static_cast<uint32_t>((uint64_t{1} << PageCount()) - 2));
  slab->WithdrawPages(pages);
  const uint32_t twice = slab->block_count - 5u;
  ASSERT_TRUE(slab->Put(twice));
  EXPECT_EQ(slab->PutBackPages(pages, /*is_purged=*/true), twice);
}

}  // namespace
}  // namespace hakmem
