// The clock for decay, over a system clock that steps.

#include "base/os/clock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <thread>
#include <vector>

#include "base/os/read_clock.h"

// Offset of the simulated system clock from the real one.
static std::atomic<int64_t> step_seconds{0};

namespace hakmem {

timespec ReadClock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  if (clock == CLOCK_MONOTONIC_COARSE) t.tv_sec += step_seconds;
  return t;
}

namespace {

constexpr int64_t kDay = 24 * 3600;

class ClockTest : public testing::Test {
 protected:
  // Moves beyond all that previous tests used, so that they have no effect
  // here.
  ClockTest() { step_seconds += 100 * kDay; }
};

// Time passes: 30 ms are three ticks of the slowest kernel.
void ExpectItRuns() {
  const uint64_t before = CoarseMilliseconds();
  usleep(30'000);
  const uint64_t after = CoarseMilliseconds();
  EXPECT_GT(after, before);
  EXPECT_LT(after, before + 20'000);
  // A step back that is less than a second is waited for.
  EXPECT_GE(RecentMilliseconds(), after);
  EXPECT_LE(RecentMilliseconds(), after + 1000);
}

TEST_F(ClockTest, RunsAsTheSystemsDoes) {
  ExpectItRuns();
  const timespec t = ReadClock(CLOCK_MONOTONIC_COARSE);
  EXPECT_NEAR(static_cast<double>(CoarseMilliseconds()),
              static_cast<double>(t.tv_sec) * 1000, 5000);
}

TEST_F(ClockTest, GoesOnWhenTheSystemsIsSetBack) {
  for (const int64_t back : {2L, 3600L, 30 * kDay, 1L, 10 * kDay}) {
    SCOPED_TRACE(back);
    const uint64_t before = CoarseMilliseconds();
    step_seconds -= back;
    const uint64_t after = CoarseMilliseconds();
    EXPECT_GE(after + 1000, before);
    EXPECT_LT(after, before + 20'000);
    ExpectItRuns();
  }
}

TEST_F(ClockTest, FollowsAStepForwards) {
  const uint64_t before = CoarseMilliseconds();
  step_seconds += 30 * kDay;
  EXPECT_GE(CoarseMilliseconds(), before + 30 * kDay * 1000);
  ExpectItRuns();
}

TEST_F(ClockTest, ThreadsThatSeeItAtOnceGoOnTogether) {
  for (int round = 0; round < 20; ++round) {
    const uint64_t before = CoarseMilliseconds();
    std::atomic<int> ready = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < 5) {
        }
        const uint64_t now = CoarseMilliseconds();
        EXPECT_GE(now + 1000, before);
        EXPECT_LT(now, before + 60'000);
      });
    }
    step_seconds -= 3600;
    ++ready;
    for (std::thread& thread : threads) thread.join();
    EXPECT_LT(CoarseMilliseconds(), before + 60'000);
  }
}

}  // namespace
}  // namespace hakmem
