// The kernel's clocks in a program that fakes the C library's.

#include "base/os/read_clock.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

// Replaces the C library's.
extern "C" int clock_gettime(clockid_t, timespec* t) noexcept {
  *t = {1, 1};
  return 0;
}

namespace hakmem {
namespace {

double Seconds(const timespec& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

TEST(ReadClockTest, IsTheKernelsWhateverTheProgramInterposes) {
  for (const clockid_t clock :
       {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME}) {
    timespec kernels = {};
    ASSERT_EQ(syscall(SYS_clock_gettime, clock, &kernels), 0);
    errno = 77;
    EXPECT_NEAR(Seconds(ReadClock(clock)), Seconds(kernels), 5.0) << clock;
    EXPECT_EQ(errno, 77);
  }
}

TEST(ReadClockTest, ZerosForAClockThatThereIsNot) {
  const timespec none = ReadClock(12345);
  EXPECT_EQ(none.tv_sec, 0);
  EXPECT_EQ(none.tv_nsec, 0);
}

}  // namespace
}  // namespace hakmem
