// Starts programs in every possible way while threads allocate, and processes
// whose first thread, or whose parent, is gone.
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kThreads = 4;
constexpr int kTimes = 20;

void ExpectSuccess(pid_t child) {
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Separate functions, so that no register holds a variable of the caller's that
// the child, which shares the stack, could change.
[[gnu::noinline]] pid_t RunTrueByVfork() {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(1);
  }
  return child;
}

[[gnu::noinline]] pid_t ExitByVfork() {
  const pid_t child = vfork();
  if (child == 0) _exit(0);
  return child;
}

class OtherProgramsTest : public testing::Test {
 protected:
  void SetUp() override {
    WarmUpThreads(kThreads);
    // libc keeps some memory from the first time.
    EXPECT_EQ(system("exit 0"), 0);
    before_ = CollectedStats();
    busy_ = new BusyThreads(kThreads);
  }
  void TearDown() override {
    delete busy_;
    ExpectHeapVerifies(before_);
  }

 private:
  hakmem_stats_t before_;
  BusyThreads* busy_ = nullptr;
};

TEST_F(OtherProgramsTest, ByVfork) {
  for (int i = 0; i < kTimes; ++i) {
    ExpectSuccess(RunTrueByVfork());
    ExpectSuccess(ExitByVfork());
  }
}

TEST_F(OtherProgramsTest, ByPosixSpawn) {
  char program[] = "true";
  char* arguments[] = {program, nullptr};
  for (int i = 0; i < kTimes; ++i) {
    pid_t child = -1;
    ASSERT_EQ(
        posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environ),
        0);
    ExpectSuccess(child);
  }
}

TEST_F(OtherProgramsTest, BySystem) {
  for (int i = 0; i < kTimes; ++i) EXPECT_EQ(system("exit 0"), 0);
}

TEST_F(OtherProgramsTest, ByPopen) {
  for (int i = 0; i < kTimes; ++i) {
    FILE* pipe = popen("echo said", "r");
    ASSERT_NE(pipe, nullptr);
    char line[16] = "";
    EXPECT_NE(fgets(line, sizeof(line), pipe), nullptr);
    EXPECT_STREQ(line, "said\n");
    EXPECT_EQ(pclose(pipe), 0);
  }
}

TEST_F(OtherProgramsTest, ByForkAndExecFromSeveralThreads) {
  std::thread threads[kThreads];
  for (std::thread& thread : threads) {
    thread = std::thread([] {
      for (int i = 0; i < kTimes / 2; ++i) {
        const pid_t child = fork();
        if (child == 0) {
          alarm(60);
          // As programs build the arguments of what they start.
          char* argument = static_cast<char*>(malloc(100));
          strcpy(argument, "exit 0");
          execl("/bin/sh", "sh", "-c", argument, nullptr);
          _exit(1);
        }
        ExpectSuccess(child);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A daemon's double fork: the grandchild outlives its parent and starts threads
// of its own.
TEST_F(OtherProgramsTest, ADaemonLivesOn) {
  for (int i = 0; i < 3; ++i) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      alarm(60);
      bool right = true;
      for (int round = 0; round < 3; ++round) {
        bool other = false;
        std::thread thread([&] { other = AllocateAndFree(round, 500); });
        right = AllocateAndFree(round + 7, 500) && right;
        thread.join();
        right = right && other;
      }
      Hakmem().collect();
      right = right && HeapProblems() == 0;
      _exit(write(ends[1], right ? "y" : "n", 1) == 1 ? 0 : 1);
    }
    ExpectSuccess(child);
    close(ends[1]);
    char answer = 0;
    EXPECT_EQ(read(ends[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    close(ends[0]);
  }
}

// main's thread ends; the process continues, and main's blocks stay valid.
int EndFirstThread() {
  static void* block = malloc(1000);
  Fill(block, 1000, 1);
  static const pthread_t first = pthread_self();
  std::thread([] {
    pthread_join(first, nullptr);
    bool right = AllocateAndFree(0, 10);
    right = right && Stats().threads == 1;  // this one; main's cache is gone
    for (int round = 0; round < 3; ++round) {
      std::thread thread([&] { right = AllocateAndFree(round, 500) && right; });
      thread.join();
      right = AllocateAndFree(round, 500) && right;
    }
    const pid_t child = fork();
    if (child == 0) _exit(AllocateAndFree(1, 500) ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    right = right && status == 0 && Holds(block, 1000, 1);
    free(block);
    Hakmem().collect();
    exit(right && HeapProblems() == 0 ? 0 : 1);
  }).detach();
  pthread_exit(nullptr);
}
const ChildProgram end_first_thread("end_first_thread", EndFirstThread);

TEST(FirstThreadTest, TheProcessOutlivesIt) {
  for (int i = 0; i < 5; ++i) {
    const ChildResult child = RunChildProgram("end_first_thread");
    ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
  }
}

}  // namespace
}  // namespace hakmem_test
