#include "base/os/system_call.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace hakmem {
namespace {

TEST(SystemCallTest, ReturnsWhatTheKernelDoes) {
  EXPECT_EQ(SystemCall(SYS_getpid), getpid());
  int ends[2];
  ASSERT_EQ(SystemCall(SYS_pipe2, ends, O_CLOEXEC), 0);
  EXPECT_EQ(SystemCall(SYS_write, ends[1], "abc", 3), 3);
  char text[4] = {};
  EXPECT_EQ(SystemCall(SYS_read, ends[0], text, sizeof(text)), 3);
  EXPECT_STREQ(text, "abc");
  SystemCall(SYS_close, ends[0]);
  SystemCall(SYS_close, ends[1]);
}

TEST(SystemCallTest, ARefusalIsANegatedErrnoAndKeepsErrno) {
  errno = 77;
  const long result = SystemCall(SYS_close, -1);
  EXPECT_EQ(result, -EBADF);
  EXPECT_TRUE(IsRefusal(result));
  EXPECT_EQ(errno, 77);
}

TEST(SystemCallTest, SixArgumentsArrive) {
  const long map =
      SystemCall(SYS_mmap, nullptr, size_t{8192}, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_FALSE(IsRefusal(map));
  memset(reinterpret_cast<void*>(map), 1, 8192);
  EXPECT_EQ(SystemCall(SYS_munmap, map, size_t{8192}), 0);
  // The offset, the sixth argument, is not a multiple of a page.
  EXPECT_EQ(SystemCall(SYS_mmap, nullptr, size_t{8192}, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 1),
            -EINVAL);
}

TEST(SystemCallTest, WhatIsNoErrnoIsNoRefusal) {
  EXPECT_FALSE(IsRefusal(0));
  EXPECT_FALSE(IsRefusal(-4096));
  EXPECT_TRUE(IsRefusal(-4095));
  EXPECT_TRUE(IsRefusal(-1));
}

}  // namespace
}  // namespace hakmem
