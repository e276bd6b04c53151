// A system with pages of 64 KiB, simulated by HAKMEM_TEST_PAGE_BYTES: zeroed
// memory is zero, held blocks are intact, and free memory is purged where it
// covers whole pages.
#include <malloc.h>

#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kPage = 64 * kKiB;

struct Block {
  void* address;
  size_t size;
  uint64_t seed;
};

TEST(PageSizeTest, IsWhatTheTestSays) {
  void* block = Opaque(valloc(1));
  EXPECT_TRUE(IsAligned(block, kPage));
  free(block);
  block = Opaque(pvalloc(1));
  EXPECT_GE(malloc_usable_size(block), kPage);
  free(block);
}

// Blocks of 2 KiB to 200 KiB share system pages with free ones: purges must
// leave held blocks intact.
TEST(PageSizeTest, PurgesLeaveWhatIsHeldAlone) {
  std::mt19937_64 random(1);
  std::vector<Block> blocks;
  for (uint64_t step = 1; step <= 30'000; ++step) {
    if (blocks.size() < 1000 || random() % 2 == 0) {
      const size_t size =
          1 + random() % (random() % 8 == 0 ? 200 * kKiB : 9000);
      const bool zeroed = random() % 2 == 0;
      void* address = zeroed ? calloc(1, size) : malloc(size);
      ASSERT_NE(address, nullptr);
      if (zeroed) {
        ASSERT_TRUE(IsZero(address, size)) << size << ", step " << step;
      }
      Fill(address, size, step);
      blocks.push_back({address, size, step});
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block& block = blocks.back();
      ASSERT_TRUE(Holds(block.address, block.size, block.seed)) << block.size;
      free(block.address);
      blocks.pop_back();
    }
    if (step % 300 == 0) Hakmem().collect();
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(Holds(block.address, block.size, block.seed)) << block.size;
    free(block.address);
  }
}

TEST(PageSizeTest, HolesOfWholePagesGoBack) {
  std::vector<void*> held;
  std::vector<void*> freed;
  // In two of three cases 100 KiB contain at least one whole page of 64 KiB.
  for (int i = 0; i < 1000; ++i) {
    void* block = malloc(200 * kKiB);
    ASSERT_NE(block, nullptr);
    Fill(block, 200 * kKiB, i);
    (i % 2 == 0 ? held : freed).push_back(block);
  }
  const size_t peak = ResidentBytes();
  for (void* block : freed) free(block);
  Hakmem().collect();
  EXPECT_LT(ResidentBytes(), peak - 500 * 2 * kPage / 10 * 9);
  for (size_t i = 0; i < held.size(); ++i) {
    EXPECT_TRUE(Holds(held[i], 200 * kKiB, i * 2));
    free(held[i]);
  }
}

TEST(PageSizeTest, LargeBlocksGrowAndShrink) {
  for (size_t size = 3 * kMiB; size < 40 * kMiB; size += 777'777) {
    void* block = malloc(size);
    ASSERT_NE(block, nullptr);
    Fill(block, size, size);
    block = realloc(block, size + size / 3);
    ASSERT_TRUE(Holds(block, size, size));
    block = realloc(block, size / 2);
    ASSERT_TRUE(Holds(block, size / 2, size));
    free(block);
    if (size % 5 == 0) Hakmem().collect();
  }
}

}  // namespace
}  // namespace hakmem_test
