// calloc's blocks are zero, whatever their memory contained before.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kDirt = 0xa5;

// Allocates `count` blocks, fills them and frees them.
void Dirty(size_t count, size_t size) {
  std::vector<void*> blocks(count);
  for (void*& block : blocks) {
    block = malloc(size);
    ASSERT_NE(block, nullptr);
    memset(block, kDirt, size);
  }
  for (void* block : blocks) free(block);
}

// Allocates `count` blocks by calloc and expects that all are zero.
void ExpectZero(size_t count, size_t size) {
  std::vector<void*> blocks(count);
  for (void*& block : blocks) {
    block = calloc(1, size);
    ASSERT_NE(block, nullptr);
    ASSERT_TRUE(IsZero(block, size)) << size;
    memset(block, kDirt, size);
  }
  for (void* block : blocks) free(block);
}

class CallocTest : public testing::TestWithParam<size_t> {};

TEST_P(CallocTest, ZeroAfterDirtyReuse) {
  const size_t size = GetParam();
  const size_t count = size >= 16 * kMiB ? 1 : size >= kMiB ? 4 : 100;
  for (int round = 0; round < 3; ++round) {
    Dirty(count, size);
    ExpectZero(count, size);
  }
}

TEST_P(CallocTest, ZeroAfterMemoryWasGivenBack) {
  const size_t size = GetParam();
  const size_t count = size >= kMiB ? 1 : 50;
  Dirty(count, size);
  Hakmem().collect();
  ExpectZero(count, size);
  // In one block, some pages have been purged and some reused.
  Dirty(count, size / 3 + 1);
  ExpectZero(count, size);
}

TEST_P(CallocTest, ZeroWhereSmallerAndLargerBlocksWere) {
  const size_t size = GetParam();
  const size_t smaller = size / 5 + 1;
  Dirty(size >= kMiB ? 5 : 500, smaller);
  ExpectZero(2, size);
  Dirty(1, size * 3);
  ExpectZero(size >= kMiB ? 2 : 100, size);
}

INSTANTIATE_TEST_SUITE_P(EveryScale, CallocTest,
                         testing::Values(16, 17, 64, 100, 256, 1000, 1040, 4096,
                                         5000, 20 * kKiB, 64 * kKiB, 100 * kKiB,
                                         256 * kKiB, kMiB, kMiB + 1, 2 * kMiB,
                                         3 * kMiB, 8 * kMiB, 16 * kMiB + 1,
                                         64 * kMiB));

TEST(CallocArgumentsTest, CountAndSizeMultiply) {
  for (const size_t size : {1u, 3u, 16u, 1000u, 4096u}) {
    for (const size_t count : {1u, 7u, 1000u}) {
      Dirty(2, size * count);
      char* block = static_cast<char*>(calloc(count, size));
      ASSERT_NE(block, nullptr);
      ASSERT_TRUE(IsZero(block, size * count));
      memset(block, kDirt, size * count);
      free(block);
    }
  }
}

TEST(CallocArgumentsTest, NoElementsOrNoBytesAreABlockOfTheirOwn) {
  void* first = calloc(0, 100);
  void* second = calloc(100, 0);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_NE(first, second);
  free(first);
  free(second);
}

}  // namespace
}  // namespace hakmem_test
