// After many forks while many threads allocate, the parent's metadata is
// consistent and nothing is leaked. The environment variable HAKMEM_TEST_FORKS
// sets the number of forks; the test `..._long` forks 1,000 times.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kThreads = 16;

int Forks() {
  const char* given = getenv("HAKMEM_TEST_FORKS");
  return given == nullptr ? 150 : atoi(given);
}

TEST(ForkAndHeapCheckTest, NothingIsLostInTheParent) {
  WarmUpThreads(kThreads);
  const hakmem_stats_t before = CollectedStats();
  {
    BusyThreads busy(kThreads);
    for (int i = 0; i < Forks(); ++i) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        alarm(60);
        _exit(AllocateAndFree(i, 300) ? 0 : 1);
      }
      int status = -1;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_EQ(status, 0) << "fork " << i;
    }
  }
  ExpectHeapVerifies(before);
}

TEST(ForkAndHeapCheckTest, NothingIsLostInTheChild) {
  // The child's own threads: blocks of the parent's other threads are leaked.
  BusyThreads busy(kThreads);
  for (int i = 0; i < Forks() / 10; ++i) {
    const ChildResult child = RunForked([i] {
      const hakmem_stats_t before = CollectedStats();
      EXPECT_EQ(before.threads, 1u);
      EXPECT_TRUE(AllocateAndFree(i, 300));
      const hakmem_stats_t after = CollectedStats();
      EXPECT_EQ(after.live_bytes, before.live_bytes);
      EXPECT_EQ(HeapProblems(), 0);
    });
    ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
  }
}

}  // namespace
}  // namespace hakmem_test
