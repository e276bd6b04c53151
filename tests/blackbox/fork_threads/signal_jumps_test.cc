// Handlers that jump out of the program's code (not out of malloc), and
// handlers on alternate stacks that allocate when they interrupt the program
// outside malloc: both are allowed.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
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
constexpr int kJumpsEach = 100;

thread_local sigjmp_buf back;
thread_local volatile sig_atomic_t may_jump = 0;
thread_local volatile int jumps = 0;

void JumpIfAllowed(int) {
  if (may_jump == 0) return;
  may_jump = 0;
  siglongjmp(back, 1);
}

// Allocates while signals may arrive, then computes until a handler jumps out.
bool AllocateAndBeThrownBack(uint64_t seed) {
  void* volatile kept = malloc(1000);
  Fill(kept, 1000, seed);
  volatile bool right = true;
  while (jumps < kJumpsEach) {
    if (sigsetjmp(back, 1) == 0) {
      right = AllocateAndFree(seed + jumps, 50) && right;
      may_jump = 1;
      for (;;) Opaque(1);
    }
    jumps = jumps + 1;
    right = Holds(kept, 1000, seed) && right;
  }
  free(kept);
  return right;
}

TEST(SignalJumpsTest, OutOfComputation) {
  struct sigaction action = {};
  action.sa_handler = JumpIfAllowed;
  sigaction(SIGUSR1, &action, nullptr);
  WarmUpThreads(kThreads);
  const hakmem_stats_t before = CollectedStats();
  {
    std::atomic<int> running = kThreads;
    std::atomic<bool> all_done = false;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        if (!AllocateAndBeThrownBack(i)) ++wrong;
        --running;
        while (!all_done) usleep(100);  // signals still come
      });
    }
    while (running > 0) {
      for (std::thread& thread : threads) {
        pthread_kill(thread.native_handle(), SIGUSR1);
      }
      usleep(100);
    }
    all_done = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
  ExpectHeapVerifies(before);
  signal(SIGUSR1, SIG_DFL);
}

std::atomic<int> handled{0};
std::atomic<int> handled_wrong{0};

// Every kind of block and a failing request. No deep frames: the stack is
// small.
void AllocateInHandler(int) {
  size_t size = 1;
  void* held[8] = {};
  for (int i = 0; i < 100; ++i) {
    size = size * 7 % 3000017;
    void*& block = held[i % 8];
    block = realloc(block, size);
    if (block == nullptr) ++handled_wrong;
    static_cast<char*>(block)[size - 1] = 1;
  }
  for (void* block : held) free(block);
  if (malloc(Opaque(~size_t{0})) != nullptr) ++handled_wrong;
  Hakmem().collect();
  ++handled;
}

TEST(SignalJumpsTest, HandlersOnStacksOfTheirOwnMayAllocate) {
  struct sigaction action = {};
  action.sa_handler = AllocateInHandler;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR2, &action, nullptr);
  WarmUpThreads(kThreads);
  const hakmem_stats_t before = CollectedStats();
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([round, i] {
        stack_t stack = {};
        stack.ss_size = static_cast<size_t>(sysconf(_SC_SIGSTKSZ));
        stack.ss_sp = malloc(stack.ss_size);
        sigaltstack(&stack, nullptr);
        // The thread's very first allocation may be its handler's.
        if (i % 2 == 0) AllocateAndFree(round, 100);
        for (int j = 0; j < 3; ++j) raise(SIGUSR2);
        stack.ss_flags = SS_DISABLE;
        sigaltstack(&stack, nullptr);
        free(stack.ss_sp);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(handled, 10 * kThreads * 3);
  EXPECT_EQ(handled_wrong, 0);
  ExpectHeapVerifies(before);
  signal(SIGUSR2, SIG_DFL);
}

}  // namespace
}  // namespace hakmem_test
