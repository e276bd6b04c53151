#include "base/lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

TEST(Mutex, OneThreadAtATimeHoldsIt) {
  Mutex mutex;
  int64_t counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50'000; ++i) {
        MutexLock lock(mutex);
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 200'000);
}

TEST(Mutex, TryLockFailsWhileHeld) {
  Mutex mutex;
  const auto try_once = [&mutex] {
    if (!mutex.TryLock()) return false;
    mutex.Unlock();
    return true;
  };
  bool got_it = true;
  {
    MutexLock lock(mutex);
    std::thread([&] { got_it = try_once(); }).join();
  }
  EXPECT_FALSE(got_it);
  EXPECT_TRUE(try_once());
}

TEST(Mutex, AThreadKnowsWhetherItHoldsLocks) {
  Mutex a, b;
  EXPECT_FALSE(ThreadMayHoldLocks());
  {
    MutexLock lock_a(a);
    EXPECT_TRUE(ThreadMayHoldLocks());
    std::thread([&] {
      EXPECT_FALSE(ThreadMayHoldLocks());
      EXPECT_FALSE(a.TryLock());
      EXPECT_FALSE(ThreadMayHoldLocks());
    }).join();
    { MutexLock lock_b(b); }
    EXPECT_TRUE(ThreadMayHoldLocks());
  }
  EXPECT_FALSE(ThreadMayHoldLocks());
}

TEST(Mutex, SleepersWakeAndErrnoIsKept) {
  Mutex mutex;
  mutex.Lock();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      errno = 77;
      MutexLock lock(mutex);
      EXPECT_EQ(errno, 77);
    });
  }
  usleep(20'000);  // long enough that they sleep instead of spinning
  mutex.Unlock();
  for (std::thread& thread : threads) thread.join();
}

TEST(Mutex, HeldOverForkIsReleasedOnBothSides) {
  Mutex mutex;
  mutex.Lock();
  const pid_t child = fork();
  mutex.Unlock();
  bool again = false;
  if (mutex.TryLock()) {
    again = true;
    mutex.Unlock();
  }
  if (child == 0) _exit(again ? 0 : 1);
  ASSERT_GE(child, 0);
  EXPECT_TRUE(again);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hakmem
