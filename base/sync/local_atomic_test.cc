#include "base/sync/local_atomic.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <cstdint>

namespace hakmem {
namespace {

TEST(LocalAtomic, AddsAndReturnsWhatWasThere) {
  std::atomic<uint64_t> value{5};
  EXPECT_EQ(FetchAddSingleThreaded(value, 3), 5u);
  EXPECT_EQ(FetchAddSingleThreaded(value, UINT64_MAX), 8u);
  EXPECT_EQ(value, 7u);
}

constinit std::atomic<uint64_t> count{0};
constinit std::atomic<uint64_t> handled{0};

TEST(LocalAtomic, LosesNothingToAHandler) {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    FetchAddSingleThreaded(count, 1);
    handled = handled + 1;
  };
  ASSERT_EQ(sigaction(SIGALRM, &action, nullptr), 0);
  const itimerval every = {{0, 50}, {0, 50}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
  uint64_t added = 0;
  while (handled < 500) {
    FetchAddSingleThreaded(count, 1);
    ++added;
  }
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal(SIGALRM, SIG_IGN);
  EXPECT_EQ(count, added + handled);
}

}  // namespace
}  // namespace hakmem
