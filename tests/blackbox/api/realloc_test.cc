// realloc keeps contents for every kind of block, and moves large blocks
// without holding them twice.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kLargest = 256 * kMiB;

TEST(ReallocTest, GrowingFromOneByteTo256MiBKeepsContents) {
  size_t size = 1;
  void* block = malloc(size);
  ASSERT_NE(block, nullptr);
  Fill(block, size, 1);
  while (size < kLargest) {
    const size_t larger = std::min(kLargest, size + size / 2 + 1);
    block = realloc(block, larger);
    ASSERT_NE(block, nullptr) << larger;
    ASSERT_TRUE(IsAligned(block, 16)) << larger;
    ASSERT_GE(malloc_usable_size(block), larger);
    ASSERT_TRUE(Holds(block, size, 1)) << size << " to " << larger;
    Fill(block, larger, 1);
    size = larger;
  }
  free(block);
}

TEST(ReallocTest, ShrinkingFrom256MiBToOneByteKeepsContents) {
  size_t size = kLargest;
  void* block = malloc(size);
  ASSERT_NE(block, nullptr);
  Fill(block, size, 2);
  while (size > 1) {
    const size_t smaller = size - size / 3 - 1;
    block = realloc(block, smaller == 0 ? 1 : smaller);
    ASSERT_NE(block, nullptr) << smaller;
    ASSERT_GE(malloc_usable_size(block), smaller);
    ASSERT_TRUE(Holds(block, smaller, 2)) << size << " to " << smaller;
    size = smaller;
  }
  free(block);
}

TEST(ReallocTest, EverySmallStepKeepsContents) {
  void* growing = malloc(0);
  for (size_t size = 0; size < 40000; ++size) {
    growing = realloc(growing, size + 1);
    ASSERT_NE(growing, nullptr);
    char* bytes = static_cast<char*>(growing);
    if (size > 0) {
      ASSERT_EQ(bytes[size - 1], static_cast<char>(size - 1));
      ASSERT_EQ(bytes[size / 2], static_cast<char>(size / 2));
    }
    bytes[size] = static_cast<char>(size);
  }
  for (size_t size = 40000; size > 0; --size) {
    growing = realloc(growing, size);
    ASSERT_NE(growing, nullptr);
    ASSERT_EQ(static_cast<char*>(growing)[size - 1],
              static_cast<char>(size - 1));
  }
  free(growing);
}

TEST(ReallocTest, AnyJumpBetweenSizesKeepsContents) {
  struct Held {
    void* block = nullptr;
    size_t size = 0;
  };
  std::mt19937_64 random(3);
  std::vector<Held> all(64);
  for (int step = 0; step < 30000; ++step) {
    const size_t slot = random() % all.size();
    Held& held = all[slot];
    const size_t size = AnySize(random) + 1;
    held.block = realloc(held.block, size);
    ASSERT_NE(held.block, nullptr);
    ASSERT_TRUE(Holds(held.block, std::min(size, held.size), slot))
        << held.size << " to " << size;
    Fill(held.block, size, slot);
    held.size = size;
  }
  for (const Held& held : all) free(held.block);
}

TEST(ReallocTest, OfNullAllocates) {
  for (const size_t size : {0u, 1u, 1000u, 20000u, 5000000u}) {
    void* block = realloc(Opaque<void*>(nullptr), size);
    ASSERT_NE(block, nullptr);
    EXPECT_GE(malloc_usable_size(block), size);
    free(block);
  }
}

TEST(ReallocTest, ToNoBytesFreesAsGlibcDoes) {
  for (const size_t size : {1u, 1000u, 20000u, 5000000u}) {
    const uint64_t before = Stats().live_bytes;
    void* plain = malloc(size);
    void* prefixed = malloc(size);
    EXPECT_GE(Stats().live_bytes, before + 2 * size);
    EXPECT_EQ(realloc(plain, Opaque<size_t>(0)), nullptr);
    EXPECT_EQ(Hakmem().realloc(prefixed, 0), nullptr);
    EXPECT_EQ(Stats().live_bytes, before) << size;
  }
}

TEST(ReallocTest, ToTheSizeItHasKeepsTheBlock) {
  for (const size_t size : {1u, 1000u, 20000u, 5000000u}) {
    void* block = malloc(size);
    EXPECT_EQ(realloc(block, size), block) << size;
    EXPECT_EQ(realloc(block, malloc_usable_size(block)), block) << size;
    free(block);
  }
}

TEST(ReallocTest, ShrinkingALargeBlockGivesTheRestBack) {
  constexpr size_t kSize = 128 * kMiB;
  void* block = malloc(kSize);
  ASSERT_NE(block, nullptr);
  Fill(block, kSize, 4);
  const size_t before = ResidentBytes();
  block = realloc(block, 4 * kMiB);
  ASSERT_NE(block, nullptr);
  EXPECT_LT(ResidentBytes() + 100 * kMiB, before);
  EXPECT_TRUE(Holds(block, 4 * kMiB, 4));
  free(block);
}

// This process's peak resident memory, in bytes.
size_t PeakResidentBytes() {
  FILE* file = fopen("/proc/self/status", "r");
  char line[256];
  size_t kib = 0;
  while (fgets(line, sizeof(line), file) != nullptr) {
    if (sscanf(line, "VmHWM: %zu", &kib) == 1) break;
  }
  fclose(file);
  return kib * kKiB;
}

TEST(ReallocTest, GrowingALargeBlockNeverHoldsItTwice) {
  // In a child: a new process's peak begins at what it inherited.
  const ChildResult child = RunForked([] {
    constexpr size_t kSize = 256 * kMiB;
    void* block = malloc(kSize);
    ASSERT_NE(block, nullptr);
    Fill(block, kSize, 5);
    const size_t before = PeakResidentBytes();
    ASSERT_GE(before, kSize);
    // If possible, something right behind the block keeps it from growing in
    // place.
    void* behind = malloc(kSize);
    block = realloc(block, 2 * kSize);
    ASSERT_NE(block, nullptr);
    EXPECT_LT(PeakResidentBytes(), before + kSize / 4);
    EXPECT_TRUE(Holds(block, kSize, 5));
    memset(static_cast<char*>(block) + 2 * kSize - 4096, 1, 4096);
    free(behind);
    free(block);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(ReallocTest, LargeBlocksGrowStepByStep) {
  std::vector<void*> blocks(4);
  size_t size = 3 * kMiB;
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i] = malloc(size);
    Fill(blocks[i], size, i);
  }
  for (; size < 40 * kMiB; size += 3 * kMiB + 12345) {
    const size_t larger = size + 3 * kMiB + 12345;
    for (size_t i = 0; i < blocks.size(); ++i) {
      blocks[i] = realloc(blocks[i], larger);
      ASSERT_NE(blocks[i], nullptr);
      ASSERT_TRUE(Holds(blocks[i], size, i)) << size << " to " << larger;
      Fill(blocks[i], larger, i);
    }
  }
  for (void* block : blocks) free(block);
}

}  // namespace
}  // namespace hakmem_test
