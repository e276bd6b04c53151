// Fork in a signal handler that interrupts malloc and free. POSIX no longer
// lists fork as async-signal-safe, yet crash handlers and interval timers call
// it. It must not wait for a lock that its own thread holds.
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kThreads = 4;
constexpr int kForks = 120;
// Far longer than a run takes; SIGALRM ends a deadlock.
constexpr unsigned kPatienceSeconds = 90;

enum class ChildDoes { kExit, kExec, kGoOn };

// All for the handler.
volatile sig_atomic_t child_does;
volatile sig_atomic_t is_child = 0;
std::atomic<int> forks{0};
std::atomic<int> failed{0};

void ForkInHandler(int) {
  const int saved_errno = errno;
  const pid_t child = fork();
  if (child == 0) {
    alarm(kPatienceSeconds);
    switch (static_cast<ChildDoes>(child_does)) {
      case ChildDoes::kExit:
        _exit(0);
      case ChildDoes::kExec:
        execl("/bin/true", "true", nullptr);
        _exit(1);
      case ChildDoes::kGoOn:
        is_child = 1;
        errno = saved_errno;
        return;
    }
  }
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) ++failed;
  ++forks;
  errno = saved_errno;
}

void HandleWithFork(int signal, ChildDoes what) {
  child_does = static_cast<sig_atomic_t>(what);
  struct sigaction action = {};
  action.sa_handler = ForkInHandler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

// Interrupts busy threads with `signal`, one after the other.
void ForkFromBusyThreads(ChildDoes what) {
  alarm(kPatienceSeconds);
  HandleWithFork(SIGUSR1, what);
  WarmUpThreads(kThreads);
  const hakmem_stats_t before = CollectedStats();
  {
    BusyThreads busy(kThreads);
    for (int i = 0; i < kForks; ++i) {
      pthread_kill(busy.thread(i), SIGUSR1);
      while (forks <= i) usleep(50);
    }
  }
  EXPECT_EQ(failed, 0);
  ExpectHeapVerifies(before);
}

TEST(ForkInHandlerTest, TheChildOfABusyThreadExits) {
  const ChildResult child =
      RunForked([] { ForkFromBusyThreads(ChildDoes::kExit); });
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

TEST(ForkInHandlerTest, TheChildOfABusyThreadBecomesAnotherProgram) {
  const ChildResult child =
      RunForked([] { ForkFromBusyThreads(ChildDoes::kExec); });
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

// One thread, a timer, and children that return from the handler and continue
// the interrupted code: glibc's malloc supports that as well.
int ForkByTimer() {
  HandleWithFork(SIGVTALRM, ChildDoes::kGoOn);
  // CPU time: the timer never expires while waiting for a child.
  const itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_VIRTUAL, &often, nullptr);
  bool right = true;
  const int wanted = kForks;
  for (uint64_t round = 0; forks < wanted && right && !is_child; ++round) {
    right = AllocateAndFree(round, 200);
  }
  if (is_child) {
    right = right && AllocateAndFree(1, 500);
    Hakmem().collect();
    _exit(right && HeapProblems() == 0 ? 0 : 1);
  }
  const itimerval never = {};
  setitimer(ITIMER_VIRTUAL, &never, nullptr);
  return right && failed == 0 && HeapProblems() == 0 ? 0 : 1;
}
const ChildProgram fork_by_timer("fork_by_timer", ForkByTimer);

TEST(ForkInHandlerTest, TheChildOfTheOnlyThreadGoesOn) {
  const ChildResult child = RunChildProgram("fork_by_timer");
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

// A crash handler that starts another program to report the crash. The library
// aborts within its own critical section, where it detects the error.
int ReportACrash() {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    _exit(status == 0 ? 42 : 1);
  };
  sigaction(SIGABRT, &action, nullptr);
  alarm(kPatienceSeconds);
  std::thread busy([] {
    for (uint64_t round = 0;; ++round) AllocateAndFree(round, 100);
  });
  void* block = malloc(100);
  void* other = malloc(100);
  free(Opaque(block));
  free(other);
  free(Opaque(block));
  Hakmem().collect();
  return 1;
}
const ChildProgram report_a_crash("report_a_crash", ReportACrash);

TEST(ForkInHandlerTest, ACrashHandlerMayStartAProgram) {
  const ChildResult child = RunChildProgram("report_a_crash");
  EXPECT_EQ(child.exit_code, 42) << child.signal << child.err;
}

}  // namespace
}  // namespace hakmem_test
