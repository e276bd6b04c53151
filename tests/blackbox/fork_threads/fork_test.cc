// Fork while other threads allocate. The child has one thread and must find no
// lock held and no list half changed.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kThreads = 8;
constexpr int kForks = 200;

// Forks; the child runs `body` and exits with 0 if that returns true. SIGALRM
// ends a child that deadlocks.
template <typename Body>
void ForkAndExpectSuccess(const Body& body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST(ForkTest, TheChildAllocatesAndFreesWhileParentsThreadsDo) {
  // Some blocks of the parent, which the child frees as its own.
  std::vector<Held> inherited;
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const size_t size = AnySize(random) / 4;
    inherited.push_back({malloc(size), size});
    Fill(inherited.back().block, size, size);
  }
  {
    BusyThreads busy(kThreads);
    for (int i = 0; i < kForks; ++i) {
      ForkAndExpectSuccess([&] {
        for (const Held& held : inherited) {
          if (!Holds(held.block, held.size, held.size)) return false;
          free(held.block);
        }
        return AllocateAndFree(i, 500);
      });
      if (HasFatalFailure()) break;
    }
  }
  for (const Held& held : inherited) {
    EXPECT_TRUE(Holds(held.block, held.size, held.size));
    free(held.block);
  }
}

TEST(ForkTest, TheChildMayStartThreadsAndForkAgain) {
  BusyThreads busy(kThreads);
  for (int i = 0; i < kForks / 10; ++i) {
    ForkAndExpectSuccess([&] {
      bool right[2] = {false, false};
      std::thread first([&] { right[0] = AllocateAndFree(i, 500); });
      std::thread second([&] { right[1] = AllocateAndFree(i + 1, 500); });
      const pid_t grandchild = fork();
      if (grandchild == 0) _exit(AllocateAndFree(i, 500) ? 0 : 1);
      int status = -1;
      waitpid(grandchild, &status, 0);
      first.join();
      second.join();
      Hakmem().collect();
      return right[0] && right[1] && status == 0;
    });
    if (HasFatalFailure()) break;
  }
}

TEST(ForkTest, SeveralThreadsForkAtOnce) {
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&failed, i] {
      for (int round = 0; round < 10; ++round) {
        AllocateAndFree(i, 100);
        const pid_t child = fork();
        if (child == 0) {
          alarm(60);
          _exit(AllocateAndFree(i, 200) ? 0 : 1);
        }
        int status = -1;
        if (waitpid(child, &status, 0) != child || status != 0) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(ForkTest, StatisticsOfTheChildGoOnFromTheParents) {
  const uint64_t live = Stats().live_bytes;
  const ChildResult child = RunForked([live] {
    const hakmem_stats_t before = Stats();
    void* block = malloc(5 * kMiB);
    EXPECT_GE(before.live_bytes, live);
    EXPECT_GE(Stats().live_bytes, before.live_bytes + 5 * kMiB);
    free(block);
    EXPECT_EQ(Stats().live_bytes, before.live_bytes);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
