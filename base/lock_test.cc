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
  ASSERT_TRUE(mutex.TryLock());
  std::thread([&] { EXPECT_FALSE(mutex.TryLock()); }).join();
  mutex.Unlock();
  ASSERT_TRUE(mutex.TryLock());
  mutex.Unlock();
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
  ASSERT_GE(child, 0);
  mutex.Unlock();
  const bool again = mutex.TryLock();
  if (child == 0) _exit(again ? 0 : 1);
  EXPECT_TRUE(again);
  if (again) mutex.Unlock();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hakmem
