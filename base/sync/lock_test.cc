#include "base/sync/lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

// Takes the lock, if it is free, and releases it.
bool TryOnce(Mutex& mutex) {
  if (!mutex.TryLock()) return false;
  mutex.Unlock();
  return true;
}

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
  bool got_it = true;
  {
    MutexLock lock(mutex);
    std::thread([&] { got_it = TryOnce(mutex); }).join();
  }
  EXPECT_FALSE(got_it);
  EXPECT_TRUE(TryOnce(mutex));
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

bool IsFree(Mutex& mutex) {
  bool got_it = false;
  std::thread([&] { got_it = TryOnce(mutex); }).join();
  return got_it;
}

// As fork does with the allocator's locks.
void HoldBoth(Mutex& a, Mutex& b) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  a.Lock();
  b.Lock();
  BeginHoldingEveryLock();
}

// `made`: a lock that was made meanwhile.
void ReleaseBoth(Mutex& a, Mutex& b,
                 Mutex* made = nullptr) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  EndHoldingEveryLock();
  if (made != nullptr) {
    made->Unlock();
    EXPECT_TRUE(ThreadMayHoldLocks());
  }
  b.Unlock();
  a.Unlock();
  EXPECT_TRUE(ThreadMayHoldLocks());
  EndReleasingEveryLock();
}

TEST(Mutex, WhoHoldsEveryLockTakesThemAgain) {
  Mutex a, b;
  HoldBoth(a, b);
  EXPECT_TRUE(HoldsEveryLock());
  EXPECT_TRUE(HoldsEveryLockOnce());
  {
    MutexLock lock_a(a);
    MutexLock lock_b(b);
    EXPECT_FALSE(HoldsEveryLockOnce());
    EXPECT_TRUE(TryOnce(b));
  }
  EXPECT_TRUE(HoldsEveryLockOnce());
  // No other thread can take them, neither in between nor now.
  EXPECT_FALSE(IsFree(a));
  EXPECT_FALSE(IsFree(b));
  ReleaseBoth(a, b);
  EXPECT_FALSE(HoldsEveryLock());
  EXPECT_FALSE(ThreadMayHoldLocks());
  EXPECT_TRUE(IsFree(a));
  EXPECT_TRUE(IsFree(b));
}

TEST(Mutex, ThatWasMadeWhileEveryLockIsHeldIsReleasedWithThem) {
  Mutex a, b, made;
  HoldBoth(a, b);
  { MutexLock lock(made); }
  // One more lock than was taken is released.
  ReleaseBoth(a, b, &made);
  EXPECT_FALSE(ThreadMayHoldLocks());
  EXPECT_TRUE(IsFree(made));
  MutexLock lock(made);
  EXPECT_FALSE(IsFree(made));
}

TEST(Mutex, EveryLockHeldByOneThreadIsNotHeldByOthers) {
  Mutex a, b, other;
  HoldBoth(a, b);
  std::thread([&] {
    EXPECT_FALSE(HoldsEveryLock());
    MutexLock lock(other);
    EXPECT_TRUE(ThreadMayHoldLocks());
  }).join();
  ReleaseBoth(a, b);
}

TEST(Mutex, WhoWaitsForEveryLockGetsOneWhenTheyAreReleased) {
  Mutex a, b;
  int64_t counter = 0;
  HoldBoth(a, b);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        MutexLock lock(b);
        ++counter;
      }
    });
  }
  usleep(20'000);  // long enough for them to sleep
  for (int i = 0; i < 1000; ++i) {
    MutexLock lock(b);
    ++counter;
  }
  EXPECT_EQ(counter, 1000);
  ReleaseBoth(a, b);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 4000);
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
  usleep(20'000);  // long enough for them to sleep rather than spin
  mutex.Unlock();
  for (std::thread& thread : threads) thread.join();
}

TEST(Mutex, TheChildOfWhoHoldsEveryLockHoldsThemToo) {
  Mutex a, b;
  HoldBoth(a, b);
  const pid_t child = fork();
  bool again = false;
  {
    MutexLock lock(a);
    again = HoldsEveryLockOnce() == false && HoldsEveryLock();
  }
  ReleaseBoth(a, b);
  again = again && !ThreadMayHoldLocks() && TryOnce(b);
  if (child == 0) _exit(again ? 0 : 1);
  ASSERT_GE(child, 0);
  EXPECT_TRUE(again);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
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
