// After a refused call no memory is lost and none has two owners.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/os/calls/injected/fault_control.h"
#include "base/os/os_memory.h"

namespace hakmem::os {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

bool IsMapped(uintptr_t address) {
  unsigned char in_core;
  return mincore(At(address), 1, &in_core) == 0;
}

class OsMemoryFaults : public testing::Test {
 protected:
  ~OsMemoryFaults() override { hakmem_test_fail_os_calls(0, 0); }
};

TEST_F(OsMemoryFaults, TheCallThatWasChosenFailsAndIsNamed) {
  const uint64_t failed = hakmem_test_failed_os_calls();
  hakmem_test_fail_os_calls(2, 1);
  const Mapping first = Map(kMiB, PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(first);
  errno = 55;
  EXPECT_EQ(Purge(first.address, kMiB), ENOMEM);
  EXPECT_EQ(errno, 55);
  EXPECT_STREQ(hakmem_test_failed_call(), "madvise");
  EXPECT_EQ(hakmem_test_failed_os_calls(), failed + 1);
  EXPECT_EQ(Purge(first.address, kMiB), 0);

  hakmem_test_fail_os_calls(1, 3);
  EXPECT_EQ(Commit(first.address, kMiB), ENOMEM);
  EXPECT_STREQ(hakmem_test_failed_call(), "mprotect");
  EXPECT_EQ(ResizeInPlace(first.address, kMiB, 2 * kMiB), ENOMEM);
  EXPECT_STREQ(hakmem_test_failed_call(), "mremap");
  EXPECT_EQ(Unmap(first.address, kMiB), ENOMEM);
  EXPECT_STREQ(hakmem_test_failed_call(), "munmap");
  EXPECT_EQ(Unmap(first.address, kMiB), 0);
}

TEST_F(OsMemoryFaults, RefusedReleasesGoBackLater) {
  const Mapping m = Map(kMiB, PageBytes(), Access::kReadWrite);
  ASSERT_TRUE(m);
  memset(At(m.address), 7, kMiB);
  hakmem_test_fail_os_calls(1, 1);
  Release(m.address, kMiB);
  ASSERT_STREQ(hakmem_test_failed_call(), "munmap");
  // Still mapped, but not backed.
  unsigned char in_core = 1;
  ASSERT_EQ(mincore(At(m.address), 1, &in_core), 0);
  EXPECT_EQ(in_core & 1, 0);
  const Mapping next = Map(64 * kMiB, PageBytes(), Access::kNone);
  ASSERT_TRUE(next);
  // It may lie where the first was: both must be gone.
  EXPECT_EQ(Unmap(next.address, 64 * kMiB), 0);
  EXPECT_FALSE(IsMapped(m.address));
}

TEST_F(OsMemoryFaults, TrimsThatAreRefusedGoBackLater) {
  // The kernel does not always give this alignment by itself: some calls of Map
  // trim.
  constexpr size_t kAlignment = 64 * kMiB;
  uint64_t trims = 0;
  for (int round = 0; round < 8; ++round) {
    const Mapping shift = Map((round + 1) * kMiB, PageBytes(), Access::kNone);
    for (uint64_t n = 1; n <= 4; ++n) {
      const uint64_t failed = hakmem_test_failed_os_calls();
      hakmem_test_fail_os_calls(n, 1);
      const Mapping m = Map(3 * kMiB, kAlignment, Access::kReadWrite);
      hakmem_test_fail_os_calls(0, 0);
      if (hakmem_test_failed_os_calls() == failed) {
        ASSERT_TRUE(m);
      } else if (strcmp(hakmem_test_failed_call(), "mmap") == 0) {
        ASSERT_FALSE(m);
      } else {
        // Fails munmap, or the advice after a refused munmap.
        ASSERT_TRUE(m);
        ++trims;
      }
      if (!m) continue;
      EXPECT_EQ(m.address % kAlignment, 0u);
      // Release first retries what was refused before.
      const uintptr_t behind = m.address + 3 * kMiB;
      Release(m.address, 3 * kMiB);
      EXPECT_FALSE(IsMapped(m.address));
      if (strcmp(hakmem_test_failed_call(), "munmap") == 0) {
        EXPECT_FALSE(IsMapped(behind)) << "call " << n;
      }
    }
    Release(shift.address, (round + 1) * kMiB);
  }
  EXPECT_GT(trims, 0u);
}

TEST_F(OsMemoryFaults, AMoveThatFailsLeavesTheBlockAndNoTarget) {
  const Mapping m = Map(kMiB, PageBytes(), Access::kReadWrite);
  const Mapping target = Map(2 * kMiB, 2 * kMiB, Access::kNone);
  ASSERT_TRUE(m && target);
  memset(At(m.address), 7, kMiB);
  hakmem_test_fail_os_calls(1, 1);
  EXPECT_EQ(MoveTo(m.address, kMiB, 2 * kMiB, target.address), ENOMEM);
  EXPECT_EQ(At(m.address)[kMiB - 1], 7);
  EXPECT_FALSE(IsMapped(target.address));
  EXPECT_EQ(Unmap(m.address, kMiB), 0);
}

}  // namespace
}  // namespace hakmem::os
