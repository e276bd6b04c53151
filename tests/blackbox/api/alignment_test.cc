// Blocks of every alignment a program may request.
#include <malloc.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kSmallestAlignment = 8;
constexpr size_t kLargestAlignment = 64 * kMiB;

std::vector<size_t> SizesFor(size_t alignment) {
  return {0,
          1,
          15,
          100,
          alignment - 1,
          alignment,
          alignment + 1,
          2 * alignment - 16,
          3 * alignment,
          3 * alignment + 20 * kKiB};
}

void* PosixMemalign(size_t alignment, size_t size) {
  void* block = nullptr;
  EXPECT_EQ(posix_memalign(&block, alignment, size), 0);
  return block;
}

// Fills the ends of the block, or all of it if that is quick.
void Touch(void* block, size_t size, uint64_t seed) {
  if (size <= 256 * kKiB) {
    Fill(block, size, seed);
  } else {
    Fill(block, 4096, seed);
    Fill(static_cast<char*>(block) + size - 4096, 4096, seed);
  }
}

bool Untouched(void* block, size_t size, uint64_t seed) {
  if (size <= 256 * kKiB) return Holds(block, size, seed);
  return Holds(block, 4096, seed) &&
         Holds(static_cast<char*>(block) + size - 4096, 4096, seed);
}

using Allocate = void* (*)(size_t alignment, size_t size);

class AlignmentTest : public testing::TestWithParam<Allocate> {};

TEST_P(AlignmentTest, EveryPowerOfTwoIsHonouredForEverySize) {
  for (size_t alignment = kSmallestAlignment; alignment <= kLargestAlignment;
       alignment *= 2) {
    std::vector<void*> blocks;
    const std::vector<size_t> sizes = SizesFor(alignment);
    for (size_t i = 0; i < sizes.size(); ++i) {
      void* block = GetParam()(alignment, sizes[i]);
      ASSERT_NE(block, nullptr) << alignment << " " << sizes[i];
      ASSERT_TRUE(IsAligned(block, alignment)) << alignment << " " << sizes[i];
      ASSERT_TRUE(IsAligned(block, 16)) << alignment << " " << sizes[i];
      ASSERT_GE(malloc_usable_size(block), sizes[i]) << alignment;
      Touch(block, sizes[i], i);
      blocks.push_back(block);
    }
    for (size_t i = 0; i < sizes.size(); ++i) {
      ASSERT_TRUE(Untouched(blocks[i], sizes[i], i))
          << alignment << " " << sizes[i];
      free(blocks[i]);
    }
  }
}

TEST_P(AlignmentTest, NeighboursAreAlignedToo) {
  // More than one slab's worth: the alignment must not hold for the first block
  // only.
  for (size_t alignment = 16; alignment <= 64 * kKiB; alignment *= 2) {
    for (const size_t size : {size_t{1}, alignment / 2, alignment + 16}) {
      std::vector<void*> blocks;
      for (int i = 0; i < 200; ++i) {
        void* block = GetParam()(alignment, size);
        ASSERT_NE(block, nullptr);
        ASSERT_TRUE(IsAligned(block, alignment)) << alignment << " " << size;
        Fill(block, size, i);
        blocks.push_back(block);
      }
      for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(Holds(blocks[i], size, i));
        free(blocks[i]);
      }
    }
  }
}

TEST_P(AlignmentTest, AlignedBlocksCanBeReallocated) {
  for (size_t alignment = 16; alignment <= 8 * kMiB; alignment *= 4) {
    for (const size_t size : {size_t{24}, size_t{5000}, 200 * kKiB, 5 * kMiB}) {
      void* block = GetParam()(alignment, size);
      ASSERT_NE(block, nullptr);
      Fill(block, size, alignment);
      block = realloc(block, size * 3);
      ASSERT_NE(block, nullptr);
      ASSERT_GE(malloc_usable_size(block), size * 3);
      ASSERT_TRUE(Holds(block, size, alignment)) << alignment << " " << size;
      block = realloc(block, size / 2);
      ASSERT_NE(block, nullptr);
      ASSERT_TRUE(Holds(block, size / 2, alignment)) << alignment;
      free(block);
    }
  }
}

TEST_P(AlignmentTest, AllIsGivenBack) {
  const hakmem_stats_t before = Stats();
  for (size_t alignment = kSmallestAlignment; alignment <= kLargestAlignment;
       alignment *= 2) {
    for (const size_t size : SizesFor(alignment)) {
      free(GetParam()(alignment, size));
    }
  }
  const hakmem_stats_t after = Stats();
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  EXPECT_EQ(after.large_live_bytes, before.large_live_bytes);
}

// As glibc's memalign, and aligned_alloc before 2.38: rounds up to a power of
// two.
class OddAlignmentTest : public testing::TestWithParam<Allocate> {};

TEST_P(OddAlignmentTest, IsTheNextPowerOfTwo) {
  struct Rounded {
    size_t asked;
    size_t given;
  };
  for (const Rounded& alignment :
       {Rounded{0, 16}, Rounded{1, 16}, Rounded{3, 16}, Rounded{15, 16},
        Rounded{17, 32}, Rounded{24, 32}, Rounded{48, 64}, Rounded{100, 128},
        Rounded{1000, 1024}, Rounded{4095, 4096}, Rounded{4097, 8192},
        Rounded{100'000, 128 * kKiB}, Rounded{3 * kMiB, 4 * kMiB}}) {
    SCOPED_TRACE(alignment.asked);
    // Several: the alignment must not hold for the first block only.
    std::vector<void*> blocks;
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{24}, size_t{100}, size_t{5000},
          200 * kKiB, 2 * kMiB, size_t{24}, size_t{100}, size_t{5000}}) {
      errno = 77;
      void* block = GetParam()(Opaque(alignment.asked), size);
      ASSERT_NE(block, nullptr) << size;
      EXPECT_EQ(errno, 77);
      EXPECT_TRUE(IsAligned(block, alignment.given)) << size;
      Touch(block, size, size);
      blocks.push_back(block);
    }
    for (void* block : blocks) free(block);
  }
}

void* HakmemMemalign(size_t alignment, size_t size) {
  return Hakmem().memalign(alignment, size);
}

void* HakmemAlignedAlloc(size_t alignment, size_t size) {
  return Hakmem().aligned_alloc(alignment, size);
}

INSTANTIATE_TEST_SUITE_P(EveryFunction, OddAlignmentTest,
                         testing::Values(&memalign, &aligned_alloc,
                                         &HakmemMemalign, &HakmemAlignedAlloc));

// A sized free passes the alignment that the program requested.
TEST(OddAlignmentFreeTest, ASizedFreeTakesIt) {
  for (const size_t alignment : {3, 24, 48, 100, 5000}) {
    for (int i = 0; i < 10; ++i) {
      void* block = aligned_alloc(Opaque(alignment), 1000);
      ASSERT_NE(block, nullptr);
      Hakmem().free_aligned_sized(block, alignment, 1000);
    }
  }
}

TEST(OddAlignmentPosixTest, PosixMemalignRefuses) {
  for (const size_t alignment : {0, 1, 4, 12, 24, 48, 100}) {
    void* untouched = &errno;
    EXPECT_EQ(posix_memalign(&untouched, Opaque(alignment), 100), EINVAL)
        << alignment;
    EXPECT_EQ(untouched, &errno);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFunction, AlignmentTest,
                         testing::Values(&memalign, &aligned_alloc,
                                         &PosixMemalign));

}  // namespace
}  // namespace hakmem_test
