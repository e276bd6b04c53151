// The orders in which a process, its libraries and its threads may start: other
// preloaded libraries before and after the allocator, an LD_AUDIT library,
// first calls in signal handlers and in threads unknown to the C library. (From
// a preinit array: late_calls_test and fork_handlers_test; from resolvers:
// early_calls_test; late dlopen: late_dlopen_test.)
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

std::string PathIn(const char* variable) {
  char path[4096];
  const char* given = getenv(variable);
  return given != nullptr && realpath(given, path) != nullptr ? path : "";
}

// --- Libraries ---------------------------------------------------------------

// Allocates in threads and children, whatever other libraries are loaded.
int LiveBesideOthers() {
  alarm(60);
  const auto forks =
      reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "NeighbourForks"));
  std::atomic<bool> right = true;
  {
    BusyThreads busy(2);
    for (int i = 0; i < 5; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        const bool seen = forks == nullptr || forks() == 1;
        _exit(seen && AllocateAndFree(i, 100) ? 0 : 1);
      }
      int status = -1;
      if (waitpid(child, &status, 0) != child || status != 0) right = false;
    }
  }
  return right && HeapProblems() == 0 && CollectedStats().threads == 1 ? 0 : 1;
}
const ChildProgram live_beside_others("live_beside_others", LiveBesideOthers);

void ExpectItLivesBeside(const std::string& preload, const std::string& audit,
                         const std::string& expected) {
  SCOPED_TRACE(preload + " " + audit);
  const ChildResult child = RunChildProgram(
      "live_beside_others", {{"LD_PRELOAD", preload}, {"LD_AUDIT", audit}});
  EXPECT_EQ(child.exit_code, 0) << child.signal;
  EXPECT_EQ(child.err, expected);
}

TEST(BeginningsTest, OtherLibrariesBeginAndEndBeforeAndAfter) {
  const std::string neighbour = PathIn("HAKMEM_TEST_NEIGHBOUR");
  ASSERT_NE(neighbour, "");
  for (const std::string& preload :
       {LibraryPath() + ":" + neighbour, neighbour + ":" + LibraryPath()}) {
    ExpectItLivesBeside(preload, "", "ended\nat exit\n");
  }
}

TEST(BeginningsTest, AnAuditorMayAllocate) {
  const std::string auditor = PathIn("HAKMEM_TEST_AUDITOR");
  ASSERT_NE(auditor, "");
  ExpectItLivesBeside(LibraryPath(), auditor, "");
}

// --- First calls -------------------------------------------------------------

std::atomic<bool> called_in_handler{false};
std::atomic<bool> is_ready{false};

// Not std::thread: it would free in the thread that it starts.
void* WaitForHandler(void*) {
  is_ready = true;
  while (!called_in_handler) sched_yield();
  return AllocateAndFree(2, 100) ? &is_ready : nullptr;
}

TEST(BeginningsTest, TheFirstCallOfAThreadMayComeInASignalHandler) {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    if (!AllocateAndFree(1, 100)) abort();
    called_in_handler = true;
  };
  sigaction(SIGUSR1, &action, nullptr);
  for (int i = 0; i < 20; ++i) {
    called_in_handler = false;
    is_ready = false;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, nullptr, WaitForHandler, nullptr), 0);
    while (!is_ready) sched_yield();
    pthread_kill(thread, SIGUSR1);
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_NE(result, nullptr);
  }
  EXPECT_EQ(CollectedStats().threads, 1u);
  EXPECT_EQ(HeapProblems(), 0);
}

constexpr size_t kStackBytes = 256 * kKiB;

// The actions of another task with this thread's memory and thread-local
// variables, while this thread waits for it.
int InBorrowedThread(void* blocks) {
  const bool right = AllocateAndFree(3, 200);
  free(static_cast<void**>(blocks)[0]);
  static_cast<void**>(blocks)[1] = malloc(200);
  memset(static_cast<void**>(blocks)[1], 'b', 200);
  return right ? 0 : 1;
}

// Like vfork, but with another stack. Returns whether all was right.
bool RunBorrowedThread() {
  void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* blocks[2] = {Opaque(malloc(100)), nullptr};
  const pid_t task =
      clone(InBorrowedThread, static_cast<char*>(stack) + kStackBytes,
            CLONE_VM | CLONE_VFORK | SIGCHLD, blocks);
  int status = -1;
  const bool ended = waitpid(task, &status, 0) == task && status == 0;
  munmap(stack, kStackBytes);
  const char* block = static_cast<const char*>(blocks[1]);
  const bool right = block[0] == 'b' && block[199] == 'b';
  free(blocks[1]);
  return ended && right;
}

TEST(BeginningsTest, ATaskMadeByCloneMayUseItsMakersCache) {
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(RunBorrowedThread());
  EXPECT_TRUE(AllocateAndFree(4, 500));
  std::thread([] { Hakmem().collect(); }).join();
  EXPECT_TRUE(AllocateAndFree(5, 500));
  ExpectHeapVerifies(before);
}

}  // namespace
}  // namespace hakmem_test
