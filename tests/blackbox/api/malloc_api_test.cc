// The behaviour of each function of the malloc family on success, under its
// plain name and under its hakmem_ name.
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// C23's, which this glibc's headers do not declare yet.
using FreeSized = void (*)(void*, size_t);
using FreeAlignedSized = void (*)(void*, size_t, size_t);

FreeSized PlainFreeSized() {
  return reinterpret_cast<FreeSized>(dlsym(RTLD_DEFAULT, "free_sized"));
}

FreeAlignedSized PlainFreeAlignedSized() {
  return reinterpret_cast<FreeAlignedSized>(
      dlsym(RTLD_DEFAULT, "free_aligned_sized"));
}

const size_t kPage = static_cast<size_t>(sysconf(_SC_PAGESIZE));

// Sizes of every kind: small, page spans, large.
const size_t kSizes[] = {1,        16,       100,         1000,
                         1040,     4096,     20 * kKiB,   70000,
                         1 * kMiB, 3 * kMiB, 8 * kMiB + 1};

TEST(MallocApiTest, EverySizeIsAlignedUsableAndKeepsItsContents) {
  // Two hundred blocks at a time, each of another size, none overlapping.
  constexpr size_t kHeld = 200;
  std::vector<void*> held(kHeld, nullptr);
  std::vector<size_t> usable(kHeld, 0);
  for (size_t size = 0; size <= 70000 + kHeld; ++size) {
    const size_t slot = size % kHeld;
    if (held[slot] != nullptr) {
      ASSERT_TRUE(Holds(held[slot], usable[slot], slot)) << size - kHeld;
      free(held[slot]);
      held[slot] = nullptr;
    }
    if (size > 70000) continue;
    void* block = malloc(size);
    ASSERT_NE(block, nullptr) << size;
    ASSERT_TRUE(IsAligned(block, 16)) << size;
    ASSERT_GE(malloc_usable_size(block), size);
    held[slot] = block;
    usable[slot] = malloc_usable_size(block);
    Fill(block, usable[slot], slot);
  }
}

TEST(MallocApiTest, EverySmallSizeIsAlignedHoweverManyAreHeld) {
  std::vector<void*> blocks;
  for (size_t size = 0; size <= 4096; ++size) {
    for (int i = 0; i < 20; ++i) {
      void* block = malloc(size);
      ASSERT_NE(block, nullptr);
      ASSERT_TRUE(IsAligned(block, 16)) << size;
      blocks.push_back(block);
    }
  }
  for (void* block : blocks) free(block);
}

TEST(MallocApiTest, BlocksHeldAtOnceNeverOverlap) {
  struct Extent {
    uintptr_t begin;
    uintptr_t end;
  };
  std::mt19937_64 random(1);
  std::vector<Extent> extents;
  for (int i = 0; i < 30000; ++i) {
    void* block = malloc(AnySize(random));
    ASSERT_NE(block, nullptr);
    const auto begin = reinterpret_cast<uintptr_t>(block);
    extents.push_back({begin, begin + malloc_usable_size(block)});
  }
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    ASSERT_LE(extents[i - 1].end, extents[i].begin);
  }
  for (const Extent& extent : extents) {
    free(reinterpret_cast<void*>(extent.begin));
  }
}

TEST(MallocApiTest, SizesUpToOneGiBAreServed) {
  for (size_t size = 70000; size <= 1024 * kMiB; size += size / 3) {
    char* block = static_cast<char*>(malloc(size));
    ASSERT_NE(block, nullptr) << size;
    ASSERT_TRUE(IsAligned(block, 16)) << size;
    ASSERT_GE(malloc_usable_size(block), size);
    block[0] = 1;
    block[size - 1] = 1;
    free(block);
  }
}

TEST(MallocApiTest, NoBytesStillAreABlockOfTheirOwn) {
  void* first = malloc(0);
  void* second = malloc(0);
  void* third = calloc(0, 8);
  void* fourth = Hakmem().malloc(0);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  ASSERT_NE(third, nullptr);
  ASSERT_NE(fourth, nullptr);
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_NE(third, fourth);
  free(first);
  free(second);
  free(third);
  free(fourth);
}

TEST(MallocApiTest, FreeingNullDoesNothing) {
  free(Opaque<void*>(nullptr));
  Hakmem().free(nullptr);
  Hakmem().free_sized(nullptr, 0);
  Hakmem().free_aligned_sized(nullptr, 16, 0);
  PlainFreeSized()(nullptr, 0);
  PlainFreeAlignedSized()(nullptr, 16, 0);
  EXPECT_EQ(malloc_usable_size(nullptr), 0u);
  EXPECT_EQ(Hakmem().malloc_usable_size(nullptr), 0u);
}

TEST(MallocApiTest, PlainAndPrefixedNamesServeTheSameBlocks) {
  const Library& library = Hakmem();
  for (const size_t size : kSizes) {
    void* plain = malloc(size);
    void* prefixed = library.malloc(size);
    ASSERT_NE(plain, nullptr);
    ASSERT_NE(prefixed, nullptr);
    EXPECT_EQ(library.malloc_usable_size(plain), malloc_usable_size(plain));
    EXPECT_EQ(malloc_usable_size(prefixed), malloc_usable_size(plain));
    Fill(plain, size, 1);
    Fill(prefixed, size, 2);
    plain = library.realloc(plain, size * 2);
    prefixed = realloc(prefixed, size * 2);
    EXPECT_TRUE(Holds(plain, size, 1)) << size;
    EXPECT_TRUE(Holds(prefixed, size, 2)) << size;
    library.free(plain);
    free(prefixed);
  }
}

TEST(MallocApiTest, PrefixedFunctionsBehaveAsTheirNamesakes) {
  const Library& library = Hakmem();
  for (const size_t size : kSizes) {
    void* zeroed = library.calloc(size, 3);
    ASSERT_NE(zeroed, nullptr);
    EXPECT_TRUE(IsZero(zeroed, size * 3));
    Fill(zeroed, size * 3, 5);
    zeroed = library.reallocarray(zeroed, size, 4);
    ASSERT_NE(zeroed, nullptr);
    EXPECT_TRUE(Holds(zeroed, size * 3, 5));
    library.free(zeroed);

    void* aligned[] = {library.memalign(64, size),
                       library.aligned_alloc(64, size), nullptr};
    ASSERT_EQ(library.posix_memalign(&aligned[2], 64, size), 0);
    for (void* block : aligned) {
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(IsAligned(block, 64));
      EXPECT_GE(library.malloc_usable_size(block), size);
      library.free(block);
    }
  }
}

TEST(MallocApiTest, PageFunctionsAlignToPages) {
  for (const size_t size : kSizes) {
    void* blocks[] = {valloc(size), pvalloc(size), Hakmem().valloc(size),
                      Hakmem().pvalloc(size)};
    for (size_t i = 0; i < std::size(blocks); ++i) {
      ASSERT_NE(blocks[i], nullptr);
      EXPECT_TRUE(IsAligned(blocks[i], kPage)) << size;
      // pvalloc rounds up to whole pages, all of which are usable.
      const bool whole_pages = i % 2 == 1;
      const size_t bytes =
          whole_pages ? (size + kPage - 1) / kPage * kPage : size;
      EXPECT_GE(malloc_usable_size(blocks[i]), bytes);
      Fill(blocks[i], bytes, i);
    }
    for (size_t i = 0; i < std::size(blocks); ++i) {
      EXPECT_TRUE(Holds(blocks[i], size, i));
      free(blocks[i]);
    }
  }
}

TEST(MallocApiTest, SizedFreesTakeWhatTheirAllocationsGave) {
  const hakmem_stats_t before = Stats();
  for (const size_t size : kSizes) {
    PlainFreeSized()(malloc(size), size);
    PlainFreeSized()(calloc(1, size), size);
    PlainFreeSized()(realloc(malloc(1), size), size);
    Hakmem().free_sized(Hakmem().malloc(size), size);
    for (const size_t alignment : {16u, 64u, 4096u, 65536u}) {
      PlainFreeAlignedSized()(aligned_alloc(alignment, size), alignment, size);
      Hakmem().free_aligned_sized(Hakmem().aligned_alloc(alignment, size),
                                  alignment, size);
    }
  }
  EXPECT_EQ(Stats().live_bytes, before.live_bytes);
}

TEST(MallocApiTest, ReallocarrayMultiplies) {
  void* block = reallocarray(nullptr, 100, 40);
  ASSERT_NE(block, nullptr);
  EXPECT_GE(malloc_usable_size(block), 4000u);
  Fill(block, 4000, 7);
  block = reallocarray(block, 1000, 40);
  ASSERT_NE(block, nullptr);
  EXPECT_GE(malloc_usable_size(block), 40000u);
  EXPECT_TRUE(Holds(block, 4000, 7));
  free(block);
}

TEST(MallocApiTest, TrimAndMalloptAnswer) {
  void* block = malloc(100);
  Fill(block, 100, 3);
  const int trimmed = malloc_trim(0);
  EXPECT_TRUE(trimmed == 0 || trimmed == 1) << trimmed;
  const int set = mallopt(M_MMAP_THRESHOLD, 1 << 20);
  EXPECT_TRUE(set == 0 || set == 1) << set;
  EXPECT_TRUE(Holds(block, 100, 3));
  free(block);
}

TEST(MallocApiTest, TrimAndCollectGiveMemoryBackAtOnce) {
  // 32 MiB in spans: more than a cache may keep.
  constexpr size_t kSpan = 64 * kKiB;
  std::vector<void*> blocks;
  for (size_t i = 0; i < 512; ++i) {
    blocks.push_back(malloc(kSpan));
    memset(blocks.back(), 1, kSpan);
  }
  const size_t held = ResidentBytes();
  for (void* block : blocks) free(block);
  malloc_trim(0);
  EXPECT_LT(ResidentBytes() + 28 * kMiB, held);
  for (void*& block : blocks) {
    block = malloc(kSpan);
    memset(block, 1, kSpan);
  }
  for (void* block : blocks) free(block);
  EXPECT_GT(Hakmem().collect(), 0u);
  EXPECT_LT(ResidentBytes() + 28 * kMiB, held);
}

}  // namespace
}  // namespace hakmem_test
