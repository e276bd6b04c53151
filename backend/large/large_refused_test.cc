// Large blocks when the system refuses munmap: no address space is lost, and it
// serves the next blocks.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "backend/large/large.h"
#include "base/os/calls/injected/fault_control.h"

namespace hakmem {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

bool IsMapped(uintptr_t address) {
  unsigned char in_core;
  return mincore(At(address), 1, &in_core) == 0;
}

class LargeRefused : public testing::Test {
 protected:
  ~LargeRefused() override {
    hakmem_test_fail_os_calls(0, 0);
    Large::Purge(0, /*force=*/true);
  }

  static uintptr_t Allocate(size_t bytes) {
    return Large::AllocateFresh(bytes, 4096).address;
  }

  // Frees the block while the kernel refuses to unmap it.
  static void FreeInVain(uintptr_t block) {
    hakmem_test_fail_os_calls(1, 1);
    EXPECT_TRUE(Large::Free(PagemapEntry::At(block)));
    EXPECT_STREQ(hakmem_test_failed_call(), "munmap");
    hakmem_test_fail_os_calls(0, 0);
    EXPECT_TRUE(IsMapped(block));
    EXPECT_EQ(Large::BytesAt(PagemapEntry::At(block)), 0u);
  }
};

TEST_F(LargeRefused, ABlockThatIsNotTakenBackIsTheNextOne) {
  const uintptr_t block = Allocate(3 * kMiB);
  ASSERT_NE(block, 0u);
  memset(At(block), 1, 3 * kMiB);
  FreeInVain(block);
  const SpanAllocation again = Large::AllocateFresh(3 * kMiB, 4096);
  EXPECT_EQ(again.address, block);
  EXPECT_TRUE(again.is_zero);
  for (size_t i = 0; i < 3 * kMiB; i += 512) ASSERT_EQ(At(block)[i], 0);
  EXPECT_TRUE(Large::Free(PagemapEntry::At(block)));
  EXPECT_FALSE(IsMapped(block));
}

TEST_F(LargeRefused, AShorterBlockTakesItWhenNothingElseIsGiven) {
  const uintptr_t block = Allocate(6 * kMiB);
  ASSERT_NE(block, 0u);
  FreeInVain(block);
  hakmem_test_fail_os_calls(1, UINT64_MAX);
  EXPECT_EQ(Allocate(2 * kMiB), block);
  EXPECT_EQ(Allocate(2 * kMiB), 0u);
  hakmem_test_fail_os_calls(0, 0);
  EXPECT_EQ(Large::BytesAt(PagemapEntry::At(block)), 2 * kMiB);
  // The rest is its tail, retained for the decay time.
  EXPECT_EQ(Large::BytesCached(), 4 * kMiB);
  Large::Purge(0, /*force=*/true);
  EXPECT_FALSE(IsMapped(block + 2 * kMiB));
  EXPECT_TRUE(Large::Free(PagemapEntry::At(block)));
}

TEST_F(LargeRefused, HundredsAreKeptAndGoBackLater) {
  constexpr size_t kCount = 700;
  std::vector<uintptr_t> blocks;
  for (size_t i = 0; i < kCount; ++i) {
    blocks.push_back(Allocate(kMiB + 4096));
    ASSERT_NE(blocks.back(), 0u);
  }
  for (const uintptr_t block : blocks) FreeInVain(block);
  Large::Purge(0, /*force=*/false);
  for (const uintptr_t block : blocks) ASSERT_FALSE(IsMapped(block));
}

TEST_F(LargeRefused, ATailThatIsNotTakenBackGoesLater) {
  const uintptr_t block = Allocate(6 * kMiB);
  ASSERT_NE(block, 0u);
  memset(At(block), 1, 6 * kMiB);
  ASSERT_EQ(Large::Resize(PagemapEntry::At(block), 2 * kMiB).address, block);
  hakmem_test_fail_os_calls(1, 1);
  Large::Purge(0, /*force=*/true);
  EXPECT_STREQ(hakmem_test_failed_call(), "munmap");
  const uintptr_t tail = block + 2 * kMiB;
  EXPECT_TRUE(IsMapped(tail));
  unsigned char in_core = 1;
  ASSERT_EQ(mincore(At(tail), 1, &in_core), 0);
  EXPECT_EQ(in_core & 1, 0);
  Large::Purge(0, /*force=*/false);
  EXPECT_FALSE(IsMapped(tail));
  EXPECT_EQ(At(block)[2 * kMiB - 1], 1);
  EXPECT_TRUE(Large::Free(PagemapEntry::At(block)));
}

}  // namespace
}  // namespace hakmem
