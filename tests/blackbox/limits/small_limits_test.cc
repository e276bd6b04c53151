// A program starts under limits of a few MiB, and can use most of what they
// allow.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kSkip = 77;

struct Limit {
  const char* name;
  int resource;
  size_t bytes;
};

std::string NameOf(const testing::TestParamInfo<Limit>& info) {
  return info.param.name + std::to_string(info.param.bytes / kMiB);
}

// Sets the limit in a child, which then executes this program again.
ChildResult RunLimited(const Limit& limit, const char* program) {
  return RunForked([&] {
    const rlimit both = {limit.bytes, limit.bytes};
    ASSERT_EQ(setrlimit(static_cast<__rlimit_resource>(limit.resource), &both),
              0);
    const std::string argument = std::string("--child_program=") + program;
    const char* const argv[] = {"child", argument.c_str(), nullptr};
    ExecThisProgram(argv);
    FAIL() << "exec";
  });
}

class StartTest : public testing::TestWithParam<Limit> {};

// The program is small, so most of what it needs is the library's.
TEST_P(StartTest, ASmallProgramRuns) {
  const Limit limit = GetParam();
  const ChildResult child = RunForked([limit] {
    const rlimit both = {limit.bytes, limit.bytes};
    ASSERT_EQ(setrlimit(static_cast<__rlimit_resource>(limit.resource), &both),
              0);
    execl("/bin/true", "true", nullptr);
    _exit(2);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "") << "the library was not preloaded";
}

INSTANTIATE_TEST_SUITE_P(SmallLimits, StartTest,
                         testing::Values(Limit{"Addresses", RLIMIT_AS,
                                               6 * kMiB},
                                         Limit{"Data", RLIMIT_DATA, 3 * kMiB},
                                         Limit{"Data", RLIMIT_DATA, 8 * kMiB}),
                         NameOf);

// Allocates blocks of 500 bytes until malloc fails, and prints their total in
// MiB.
int UseAll() {
  BlockChain blocks;
  while (void* block = malloc(500)) blocks.Push(block);
  char line[32];
  const int length =
      snprintf(line, sizeof(line), "%zu", blocks.count() * 500 / kMiB);
  (void)!write(STDERR_FILENO, line, static_cast<size_t>(length));
  return Hakmem().check_heap() == 0 ? 0 : 1;
}
const ChildProgram use_all("use_all", UseAll);

class UseTest : public testing::TestWithParam<Limit> {};

TEST_P(UseTest, AllButAFewMiBOfTheLimitCanBeHad) {
  const Limit limit = GetParam();
  const ChildResult child = RunLimited(limit, "use_all");
  EXPECT_EQ(child.exit_code, 0) << child.err;
  // This program and its libraries take some 4 MiB of data, and guard pages a
  // sixteenth of all slabs.
  EXPECT_GE(strtoull(child.err.c_str(), nullptr, 10),
            (limit.bytes - 8 * kMiB) / 8 * 7 / kMiB)
      << child.err;
}

INSTANTIATE_TEST_SUITE_P(SmallLimits, UseTest,
                         testing::Values(Limit{"Data", RLIMIT_DATA, 16 * kMiB},
                                         Limit{"Data", RLIMIT_DATA, 32 * kMiB},
                                         Limit{"Data", RLIMIT_DATA, 64 * kMiB}),
                         NameOf);

// --- Locked memory -----------------------------------------------------------

// With mlockall all committed memory is resident, which shows how much threads
// with a few blocks each commit.
TEST(LockedMemory, ThreadsWithFewBlocksTakeLittle) {
  constexpr int kThreads = 20;
  const ChildResult child = RunForked([] {
    std::atomic<int> arrived = 0;
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) _exit(kSkip);
    const size_t before = ResidentBytes();
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        void* block = malloc(200);
        ++arrived;
        while (!done) std::this_thread::yield();
        free(block);
      });
    }
    while (arrived != kThreads) std::this_thread::yield();
    const size_t taken = ResidentBytes() - before;
    done = true;
    for (std::thread& thread : threads) thread.join();
    // Stacks are locked in full, too.
    pthread_attr_t attributes;
    size_t stack = 0;
    pthread_getattr_default_np(&attributes);
    pthread_attr_getstacksize(&attributes, &stack);
    EXPECT_LE(taken, kThreads * (stack + kMiB));
  });
  if (child.exit_code == kSkip) GTEST_SKIP() << "memory cannot be locked";
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
