#include "base/os/os_memory.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

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

// Four ranges of pages of a MiB, all of which is 7.
class PurgeAllTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(mapping_);
    memset(At(mapping_.address), 7, kMiB);
  }
  void TearDown() override { EXPECT_EQ(Unmap(mapping_.address, kMiB), 0); }

  uintptr_t Page(size_t i) const { return mapping_.address + i * PageBytes(); }
  bool IsPurged(const Range& range) const {
    const char* first = At(range.address);
    return first[0] == 0 && first[range.bytes - 1] == 0;
  }
  void ExpectPurged(uint64_t purged) const {
    for (size_t i = 0; i < std::size(ranges_); ++i) {
      EXPECT_EQ(IsPurged(ranges_[i]), (purged >> i & 1) != 0) << i;
    }
    for (size_t i : {2, 5, 7, 9}) EXPECT_EQ(*At(Page(i)), 7) << i;
  }

  const Mapping mapping_ = Map(kMiB, PageBytes(), Access::kReadWrite);
  const Range ranges_[4] = {{Page(0), 2 * PageBytes()},
                            {Page(3), 2 * PageBytes()},
                            {Page(6), PageBytes()},
                            {Page(8), PageBytes()}};
};

TEST_F(PurgeAllTest, PurgesAllRangesAndNothingElse) {
  errno = 55;
  EXPECT_EQ(PurgeAll(ranges_), 0b1111u);
  EXPECT_EQ(PurgeAll({}), 0u);
  EXPECT_EQ(errno, 55);
  unsigned char in_core[9];
  ASSERT_EQ(mincore(At(Page(0)), 9 * PageBytes(), in_core), 0);
  EXPECT_EQ((in_core[0] | in_core[4] | in_core[8]) & 1, 0);
  ExpectPurged(0b1111);
}

// Locked memory cannot be purged. By number: AddressSanitizer's mlock does
// nothing.
bool LockPage(uintptr_t address) {
  return syscall(SYS_mlock, address, PageBytes()) == 0;
}

TEST_F(PurgeAllTest, TellsWhichRangesAreRefused) {
  ASSERT_TRUE(LockPage(Page(4)));
  EXPECT_EQ(PurgeAll(ranges_), 0b1101u);
  *At(Page(0)) = 7;
  *At(Page(8)) = 7;
  ASSERT_TRUE(LockPage(Page(8)));
  EXPECT_EQ(PurgeAll(ranges_), 0b0101u);
  EXPECT_EQ(*At(Page(0)), 0);
  EXPECT_EQ(*At(Page(4)), 7);
  EXPECT_EQ(*At(Page(8)), 7);
}

TEST_F(PurgeAllTest, PurgesAsManyAsFit) {
  Range many[kMostPurgeRanges];
  for (size_t i = 0; i < kMostPurgeRanges; ++i) {
    many[i] = {Page(2 * i), PageBytes()};
  }
  EXPECT_EQ(PurgeAll(many), UINT64_MAX);
  for (size_t i = 0; i < 2 * kMostPurgeRanges; ++i) {
    EXPECT_EQ(*At(Page(i)), i % 2 == 0 ? 0 : 7) << i;
  }
}

// Answers each call of `number` so. Returns whether it succeeded.
bool Filter(int number, uint32_t answer) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter = {std::size(program), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Makes every madvise return 0 without effect, as emulators and sandboxes may.
bool MakeAdviceALie() { return Filter(SYS_madvise, SECCOMP_RET_ERRNO); }

using PurgeAllDeathTest = PurgeAllTest;

TEST_F(PurgeAllDeathTest, RefusesWhereThatDidNothing) {
  EXPECT_EXIT(
      {
        if (!MakeAdviceALie()) exit(0);
        const bool is_refused =
            PurgeAll(ranges_) == 0 && PurgeAll(ranges_) == 0;
        bool is_kept = true;
        for (const Range& range : ranges_) {
          is_kept = is_kept && *At(range.address) == 7;
        }
        exit(is_refused && is_kept ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(OsMemoryDeathTest, APurgeThatDidNothingIsARefusal) {
  EXPECT_EXIT(
      {
        const Mapping m = Map(4 * kMiB, 2 * kMiB, Access::kReadWrite);
        memset(At(m.address), 7, kMiB);
        if (!MakeAdviceALie()) exit(0);
        // The first call detects it, the second remembers it; zero contents
        // make no difference.
        const bool is_refused = Purge(m.address, kMiB) == ENOTSUP &&
                                Purge(m.address, kMiB) == ENOTSUP &&
                                Purge(m.address + 3 * kMiB, kMiB) == ENOTSUP;
        const bool is_kept = At(m.address)[0] == 7 &&
                             At(m.address)[kMiB - 1] == 7 &&
                             At(m.address)[3 * kMiB] == 0;
        exit(is_refused && is_kept ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(OsMemory, TellsWhatTheProgramTouched) {
  const Mapping m = Map(4 * kMiB, 2 * kMiB, Access::kReadWrite);
  ASSERT_TRUE(m);
  const size_t pages = 2 * kMiB / PageBytes();
  EXPECT_FALSE(IsMostlyTouched(m.address, 2 * kMiB, 31));
  for (size_t i = 0; i < pages; ++i) At(m.address)[i * PageBytes()] = 1;
  EXPECT_TRUE(IsMostlyTouched(m.address, 2 * kMiB, 0));
  EXPECT_FALSE(IsMostlyTouched(m.address, 4 * kMiB, 4));
  EXPECT_TRUE(IsMostlyTouched(m.address, 4 * kMiB, 16));
  // Writes one page in 16, since slabs and blocks begin at such offsets.
  EXPECT_EQ(Purge(m.address, 2 * kMiB), 0);
  for (size_t i = 0; i < pages; i += 16) At(m.address)[i * PageBytes()] = 1;
  EXPECT_FALSE(IsMostlyTouched(m.address, 2 * kMiB, 16));
  // Unreadable or unmapped pages cause no fault.
  memset(At(m.address), 1, 2 * kMiB);
  ASSERT_EQ(mprotect(At(m.address), 2 * kMiB, PROT_NONE), 0);
  EXPECT_FALSE(IsMostlyTouched(m.address, 2 * kMiB, 4));
  EXPECT_EQ(Unmap(m.address, 4 * kMiB), 0);
  EXPECT_FALSE(IsMostlyTouched(m.address, 2 * kMiB, 4));
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
  const Mapping locked = Map(PageBytes(), PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(locked);
  // Not mlock, which sanitizers turn into a no-op.
  ASSERT_EQ(syscall(SYS_mlock, locked.address, PageBytes()), 0);
  errno = 55;
  EXPECT_EQ(Purge(locked.address, PageBytes()), EINVAL);
  EXPECT_EQ(At(locked.address)[0], 0);  // unchanged
  EXPECT_EQ(Unmap(locked.address, PageBytes()), 0);
  EXPECT_NE(Unmap(1, PageBytes()), 0);
  EXPECT_NE(ResizeInPlace(1, PageBytes(), PageBytes()), 0);
  EXPECT_EQ(errno, 55);
}

// Sets a limit too high to be reached.
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

// A sandbox may forbid the query later.
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
