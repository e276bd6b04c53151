#include "base/os_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace hakmem::os {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

TEST(OsMemory, MapsZerosAligned) {
  for (size_t alignment = PageBytes(); alignment <= 64 * kMiB; alignment *= 2) {
    const Mapping m = Map(3 * kMiB, alignment, Access::kReadWrite);
    ASSERT_TRUE(m) << alignment;
    EXPECT_EQ(m.address % alignment, 0u);
    EXPECT_EQ(At(m.address)[0], 0);
    At(m.address)[3 * kMiB - 1] = 1;
    EXPECT_EQ(Unmap(m.address, 3 * kMiB), 0);
  }
}

TEST(OsMemory, ReservedMemoryIsUsableOnceCommitted) {
  const Mapping m = Map(4 * kMiB, 2 * kMiB, Access::kNone);
  ASSERT_TRUE(m);
  EXPECT_EQ(Commit(m.address, kMiB), 0);
  memset(At(m.address), 7, kMiB);
  EXPECT_EQ(Unmap(m.address, 4 * kMiB), 0);
}

TEST(OsMemoryDeathTest, UncommittedMemoryFaultsAndComesBackAsZeros) {
  const Mapping m = Map(kMiB, PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(m);
  memset(At(m.address), 7, kMiB);
  EXPECT_EQ(Uncommit(m.address, kMiB / 2), 0);
  EXPECT_DEATH(*static_cast<volatile char*>(At(m.address)) = 1, "");
  EXPECT_EQ(At(m.address)[kMiB / 2], 7);
  unsigned char in_core = 1;
  ASSERT_EQ(mincore(At(m.address), 1, &in_core), 0);
  EXPECT_EQ(in_core & 1, 0);
  EXPECT_EQ(Commit(m.address, kMiB / 2), 0);
  EXPECT_EQ(At(m.address)[0], 0);
  EXPECT_EQ(Unmap(m.address, kMiB), 0);
}

TEST(OsMemory, PurgedMemoryReadsAsZerosAndIsNotResident) {
  const Mapping m = Map(kMiB, PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(m);
  memset(At(m.address), 7, kMiB);
  EXPECT_EQ(Purge(m.address, kMiB), 0);
  unsigned char in_core = 1;
  ASSERT_EQ(mincore(At(m.address), 1, &in_core), 0);
  EXPECT_EQ(in_core & 1, 0);
  EXPECT_EQ(At(m.address)[kMiB / 2], 0);
  EXPECT_EQ(Unmap(m.address, kMiB), 0);
}

TEST(OsMemory, MovedPagesKeepTheirContents) {
  const Mapping m = Map(kMiB, PageBytes(), Access::kReadWrite);
  const Mapping target = Map(2 * kMiB, 2 * kMiB, Access::kNone);
  ASSERT_TRUE(m && target);
  memset(At(m.address), 7, kMiB);
  ASSERT_EQ(MoveTo(m.address, kMiB, 2 * kMiB, target.address), 0);
  EXPECT_EQ(At(target.address)[kMiB - 1], 7);
  EXPECT_EQ(At(target.address)[2 * kMiB - 1], 0);
  EXPECT_EQ(Unmap(target.address, 2 * kMiB), 0);
}

TEST(OsMemory, ShrinksInPlace) {
  const Mapping m = Map(2 * kMiB, PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(m);
  EXPECT_EQ(ResizeInPlace(m.address, 2 * kMiB, kMiB), 0);
  At(m.address)[kMiB - 1] = 1;
  EXPECT_EQ(Unmap(m.address, kMiB), 0);
}

TEST(OsMemory, FailuresAreReturnedAndErrnoIsKept) {
  errno = 55;
  const Mapping m = Map(size_t{1} << 60, PageBytes(), Access::kNone);
  EXPECT_FALSE(m);
  EXPECT_EQ(m.error, ENOMEM);
  EXPECT_EQ(Map(SIZE_MAX - 4095, 2 * kMiB, Access::kNone).error, ENOMEM);
  EXPECT_NE(Commit(0, PageBytes()), 0);
  EXPECT_NE(Purge(1, PageBytes()), 0);
  EXPECT_NE(Unmap(1, PageBytes()), 0);
  EXPECT_NE(ResizeInPlace(1, PageBytes(), PageBytes()), 0);
  EXPECT_EQ(errno, 55);
}

// Sets a limit that is never reached.
void SetFarLimit() {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = uint64_t{1} << 60;
  setrlimit(RLIMIT_AS, &limit);
}

TEST(OsMemoryDeathTest, NoticesALimitOnAddressSpace) {
  EXPECT_EXIT(
      {
        SetFarLimit();
        exit(AddressSpaceLimit() == uint64_t{1} << 60 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// A sandbox may forbid the question later.
TEST(OsMemoryDeathTest, AsksForTheLimitOnce) {
  EXPECT_EXIT(
      {
        const uint64_t before = AddressSpaceLimit();
        SetFarLimit();
        exit(before == UINT64_MAX && AddressSpaceLimit() == before ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hakmem::os
