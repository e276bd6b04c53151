// Fork handlers of the program that allocate, free and fork, registered before
// and after the library's own. Those registered before run while the library
// holds its locks, others when it does not.
#include <malloc.h>
#include <pthread.h>
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

constexpr int kThreads = 4;
constexpr int kForks = 30;
// Far longer than a run takes; SIGALRM ends a deadlock.
constexpr unsigned kPatienceSeconds = 90;

enum class Phase { kPrepare, kParent, kChild };

// The action of every handler; null: none.
std::atomic<void (*)(Phase)> action{nullptr};

template <Phase kPhase>
void Handle() {
  void (*act)(Phase) = action;
  if (act != nullptr) act(kPhase);
}

void Register() {
  if (pthread_atfork(Handle<Phase::kPrepare>, Handle<Phase::kParent>,
                     Handle<Phase::kChild>) != 0) {
    abort();
  }
}

// Runs before every constructor, also those of the preloaded library.
__attribute__((section(".preinit_array"), used)) void (*preinit)() = Register;

// And after them.
__attribute__((constructor)) void RegisterAgain() { Register(); }

// Sets the handlers' action during its lifetime.
class HandlersDo {
 public:
  explicit HandlersDo(void (*act)(Phase)) {
    alarm(kPatienceSeconds);
    action = act;
  }
  ~HandlersDo() {
    action = nullptr;
    alarm(0);
  }
};

// Forks; the child runs `body` and exits with 0 if that returns true.
template <typename Body>
bool ForkAndRun(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    action = nullptr;
    alarm(kPatienceSeconds);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

bool AllocateInChild() {
  return AllocateAndFree(1, 300) && (Hakmem().collect(), HeapProblems() == 0);
}

void AllocateInHandler(Phase phase) {
  if (!AllocateAndFree(static_cast<uint64_t>(phase), 100)) abort();
}

TEST(ForkHandlersTest, Allocate) {
  HandlersDo handlers(AllocateInHandler);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ForkAndRun(AllocateInChild));
  EXPECT_EQ(HeapProblems(), 0);
}

TEST(ForkHandlersTest, AllocateWhileThreadsDo) {
  WarmUpThreads(kThreads);
  const hakmem_stats_t before = CollectedStats();
  {
    BusyThreads busy(kThreads);
    HandlersDo handlers(AllocateInHandler);
    for (int i = 0; i < kForks; ++i) {
      ASSERT_TRUE(ForkAndRun(AllocateInChild)) << i;
    }
  }
  ExpectHeapVerifies(before);
}

TEST(ForkHandlersTest, SeveralThreadsForkAtOnce) {
  HandlersDo handlers(AllocateInHandler);
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        if (!ForkAndRun(AllocateInChild)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(HeapProblems(), 0);
}

// Blocks that live from one handler to another, and beyond the fork.
std::vector<Held>* kept;

void KeepInHandler(Phase phase) {
  for (const Held& held : *kept) {
    if (!Holds(held.block, held.size, held.size)) abort();
    free(held.block);
  }
  kept->clear();
  for (const size_t size : {10u, 1000u, 20000u, 300000u, 3000000u}) {
    kept->push_back({malloc(size + static_cast<size_t>(phase)), size});
    Fill(kept->back().block, size, size);
  }
}

TEST(ForkHandlersTest, FreeWhatOthersAllocated) {
  std::vector<Held> blocks;
  kept = &blocks;
  BusyThreads busy(kThreads);
  HandlersDo handlers(KeepInHandler);
  for (int i = 0; i < kForks; ++i) {
    // In another thread, so the frees are remote.
    std::thread([&] {
      blocks.push_back({malloc(100), 100});
      Fill(blocks.back().block, 100, 100);
    }).join();
    ASSERT_TRUE(ForkAndRun([&] {
      for (const Held& held : blocks) {
        if (!Holds(held.block, held.size, held.size)) return false;
        free(held.block);
      }
      return AllocateInChild();
    }));
  }
  for (const Held& held : blocks) free(held.block);
}

void AskInHandler(Phase) {
  if (HeapProblems() != 0) abort();
  char text[8192];
  if (Hakmem().stats_json(text, sizeof(text)) == 0) abort();
  void* block = malloc(100);
  Hakmem().collect();
  malloc_trim(0);
  if (Stats().live_bytes < 100) abort();
  free(Opaque(block));
}

TEST(ForkHandlersTest, AskTheLibrary) {
  // The heap check requires other threads to be quiet.
  std::atomic<bool> stop = false;
  std::thread quiet([&] {
    free(Opaque(malloc(100)));
    while (!stop) usleep(1000);
  });
  {
    HandlersDo handlers(AskInHandler);
    for (int i = 0; i < kForks / 4; ++i) {
      EXPECT_TRUE(ForkAndRun(AllocateInChild)) << i;
    }
  }
  stop = true;
  quiet.join();
}

// A thread's first calls are in handlers, so its cache is created there.
TEST(ForkHandlersTest, MakeTheFirstCallsOfAThread) {
  HandlersDo handlers(AllocateInHandler);
  for (int i = 0; i < 20; ++i) {
    int status = -1;
    pthread_t thread;
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* result) -> void* {
                    const pid_t child = fork();
                    if (child == 0) _exit(AllocateInChild() ? 0 : 1);
                    waitpid(child, static_cast<int*>(result), 0);
                    return nullptr;
                  },
                  &status),
              0);
    pthread_join(thread, nullptr);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(HeapProblems(), 0);
}

thread_local int depth = 0;

// Each handler of the outermost fork forks once more.
void ForkInHandler(Phase phase) {
  if (!AllocateAndFree(static_cast<uint64_t>(phase), 20)) abort();
  if (depth != 0) return;
  ++depth;
  const pid_t child = fork();
  if (!AllocateAndFree(7, 100)) abort();
  if (child == 0) {
    alarm(kPatienceSeconds);
    // Half of these children exit at once, the others continue in the handler.
    if (phase != Phase::kPrepare || depth > 1) _exit(0);
    action = AllocateInHandler;
  } else {
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0) abort();
  }
  --depth;
}

int ForkInHandlers() {
  alarm(kPatienceSeconds);
  bool right = true;
  {
    BusyThreads busy(kThreads);
    for (int i = 0; i < 10; ++i) {
      const pid_t parent = getpid();
      action = ForkInHandler;
      right = ForkAndRun(AllocateInChild) && right;
      // A child that continued from a handler is an ordinary process.
      if (getpid() != parent) _exit(right && AllocateInChild() ? 0 : 1);
    }
    action = nullptr;
  }
  return right && HeapProblems() == 0 ? 0 : 1;
}
const ChildProgram fork_in_handlers("fork_in_handlers", ForkInHandlers);

TEST(ForkHandlersTest, Fork) {
  const ChildResult child = RunChildProgram("fork_in_handlers");
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

}  // namespace
}  // namespace hakmem_test
