#include "base/os/os_guards.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/os/calls/injected/fault_control.h"
#include "base/os/os_memory.h"
#include "gtest/gtest.h"

namespace hakmem::os {
namespace {

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

// The parameter: how many of the calls that make the guard are refused. With
// one refused, mprotect is used, as on a kernel before 6.13.
class OsGuardsTest : public testing::TestWithParam<int> {
 protected:
  OsGuardsTest() : map_(Map(bytes_, page_, Access::kReadWrite)) {
    memset(At(map_.address), 'x', bytes_);
    errno = 77;
    hakmem_test_fail_os_calls(1, GetParam());
    Guard(map_.address + page_, page_);
    hakmem_test_fail_os_calls(0, 0);
  }
  ~OsGuardsTest() override { Unmap(map_.address, bytes_); }

  const size_t page_ = PageBytes();
  const size_t bytes_ = 4 * page_;
  const Mapping map_;
};

class OsGuardsDeathTest : public OsGuardsTest {
 protected:
  // Sanitizers' handlers would end the process differently.
  OsGuardsDeathTest() { signal(SIGSEGV, SIG_DFL); }
};

TEST_P(OsGuardsDeathTest, EndsTheProcessWhereTheGuardIsAndNowhereElse) {
  EXPECT_EQ(errno, 77);
  for (const size_t page : {0, 2, 3}) {
    EXPECT_EQ(*At(map_.address + page * page_), 'x');
  }
  const auto touch = [&](uintptr_t offset) { *At(map_.address + offset) = 1; };
  EXPECT_EXIT(touch(page_), testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(touch(2 * page_ - 1), testing::KilledBySignal(SIGSEGV), "");
  touch(page_ - 1);
  touch(2 * page_);
}

TEST_P(OsGuardsDeathTest, OutlivesAPurge) {
  ASSERT_EQ(Purge(map_.address, bytes_), 0);
  EXPECT_EXIT(*At(map_.address + page_) = 1, testing::KilledBySignal(SIGSEGV),
              "");
  EXPECT_EQ(*At(map_.address), 0);
}

TEST_P(OsGuardsTest, IsUsableAndZeroAfterUnguard) {
  Unguard(map_.address, bytes_);
  for (size_t i = 0; i < page_; ++i) {
    ASSERT_EQ(*At(map_.address + page_ + i), 0);
  }
  EXPECT_EQ(*At(map_.address), 'x');
  memset(At(map_.address), 'y', bytes_);
}

TEST_P(OsGuardsTest, ARangeThatIsNoWholePageIsLeftAlone) {
  Guard(map_.address + 2 * page_, page_ / 2);
  EXPECT_EQ(*At(map_.address + 2 * page_), 'x');
}

INSTANTIATE_TEST_SUITE_P(AdviceOrProtection, OsGuardsTest,
                         testing::Values(0, 1));
INSTANTIATE_TEST_SUITE_P(AdviceOrProtection, OsGuardsDeathTest,
                         testing::Values(0, 1));

}  // namespace
}  // namespace hakmem::os
