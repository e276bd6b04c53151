// Threads that are cancelled, or end themselves, during code that allocates. No
// function of the library is a cancellation point: a thread that ended inside
// would keep a lock or leak a block.
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 25;

struct Holder {
  Held held[16] = {};
  ~Holder() {
    for (const Held& h : held) free(h.block);
  }
  void Step(std::mt19937_64& random) {
    Held& h = held[random() % 16];
    free(h.block);
    h.size = AnySize(random);
    h.block = malloc(h.size);
    if (h.block == nullptr) abort();
    static_cast<char*>(h.block)[0] = 1;
  }
};

// Cancels threads that run `body` after a random time, several times.
void CancelAtRandom(void* (*body)(void*)) {
  WarmUpThreads(kThreads);
  const auto round = [body](int number) {
    pthread_t threads[kThreads];
    for (pthread_t& thread : threads) {
      ASSERT_EQ(pthread_create(&thread, nullptr, body, nullptr), 0);
    }
    usleep(static_cast<useconds_t>(number * 37 % 1000));
    for (const pthread_t thread : threads) pthread_cancel(thread);
    for (const pthread_t thread : threads) {
      void* result = nullptr;
      ASSERT_EQ(pthread_join(thread, &result), 0);
      EXPECT_EQ(result, PTHREAD_CANCELED);
    }
  };
  round(0);  // loads the unwinder
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < kRounds; ++i) round(i);
  ExpectHeapVerifies(before);
}

void* AllocateUntilDeferredCancel(void*) {
  std::mt19937_64 random(pthread_self());
  Holder holder;
  for (;;) {
    for (int i = 0; i < 20; ++i) holder.Step(random);
    pthread_testcancel();
  }
}

TEST(CancellationTest, Deferred) {
  CancelAtRandom(AllocateUntilDeferredCancel);
}

// Asynchronous where POSIX allows it: in code that calls no functions.
void* ComputeUntilAsynchronousCancel(void*) {
  static std::atomic<uint64_t> sink;
  std::mt19937_64 random(pthread_self());
  Holder holder;
  for (;;) {
    for (int i = 0; i < 20; ++i) holder.Step(random);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    for (int i = 0; i < 2000; ++i) Opaque(i);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, nullptr);
  }
}

TEST(CancellationTest, AsynchronousBetweenCalls) {
  CancelAtRandom(ComputeUntilAsynchronousCancel);
}

void* EndItself(void*) {
  std::mt19937_64 random(pthread_self());
  Holder holder;
  for (uint64_t steps = random() % 300;; --steps) {
    holder.Step(random);
    if (steps == 0) pthread_exit(PTHREAD_CANCELED);
  }
}

TEST(CancellationTest, ThreadsEndThemselves) { CancelAtRandom(EndItself); }

// Calls everything in the library, on a thread with a pending cancellation.
int CallEverythingWhileCancelled() {
  // Log lines go to a pipe that nobody reads: the longest code path.
  int ends[2];
  if (pipe(ends) != 0) return 2;
  dup2(ends[1], STDERR_FILENO);
  close(ends[0]);
  close(ends[1]);
  bool came_back = false;
  std::thread([&came_back] {
    pthread_cancel(pthread_self());
    Hakmem().events_start();
    bool right = AllocateAndFree(1, 2000);
    for (size_t size = 1; size < 64 * kMiB; size = size * 3 + 1) {
      void* block = calloc(1, size);
      block = realloc(block, size * 2);
      block = realloc(block, size / 2 + 1);
      free(block);
      free(memalign(64 * kKiB, size));
      ::operator delete(::operator new(size));
    }
    right = right && malloc(Opaque(~size_t{0})) == nullptr &&
            malloc(Opaque(size_t{1} << 50)) == nullptr;
    Stats();
    char json[4096];
    Hakmem().stats_json(json, sizeof(json));
    hakmem_failure_t failure;
    right = right &&
            Hakmem().last_failure(&failure, sizeof(failure)) == HasTracing();
    Hakmem().failure_text(&failure, json, sizeof(json));
    Hakmem().failure_json(&failure, json, sizeof(json));
    malloc_trim(0);
    Hakmem().events_stop();
    Hakmem().collect();
    HeapProblems();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    came_back = right;
  }).join();
  return came_back ? 0 : 1;
}
const ChildProgram call_everything_while_cancelled(
    "call_everything_while_cancelled", CallEverythingWhileCancelled);

TEST(CancellationTest, NothingIsACancellationPoint) {
  const ChildResult child = RunChildProgram("call_everything_while_cancelled",
                                            {{"HAKMEM_ACE_TRACE", "1"}});
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

}  // namespace
}  // namespace hakmem_test
