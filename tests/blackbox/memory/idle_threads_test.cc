// idle_threads_test.cc: threads that worked and now wait, for ever as far as
// anyone knows, keep little: what they have kept goes back when another thread
// makes any calls, or by malloc_trim.
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Of any size from 16 bytes to 32 KiB, as many of each doubling; now and then
// from 40 to 300 KiB.
size_t SizeOfTheMix(std::mt19937_64& random) {
  if (random() % 32 == 0) return 40 * kKiB + random() % (260 * kKiB);
  const double doublings = static_cast<double>(random() % 1100) / 100;
  return static_cast<size_t>(16 * std::exp2(doublings));
}

void Work(uint64_t seed) {
  std::mt19937_64 random(seed);
  Held all[300] = {};
  for (int i = 0; i < 3000; ++i) {
    Held& held = all[random() % 300];
    free(held.block);
    held.size = SizeOfTheMix(random);
    held.block = malloc(held.size);
    memset(held.block, 1, held.size);
  }
  for (const Held& held : all) free(held.block);
}

// What Work and what it calls use of the stack is not the allocator's.
[[gnu::noinline]] void TouchStack() {
  char stack[20 * kKiB];
  memset(Opaque(&stack[0]), 1, sizeof(stack));
}

// Threads that work when they are told to, and then wait until this goes out of
// scope.
class Workers {
 public:
  explicit Workers(int count) : threads_(count) {
    pthread_barrier_init(&begun_, nullptr, static_cast<unsigned>(count + 1));
    pthread_barrier_init(&begin_, nullptr, static_cast<unsigned>(count + 1));
    pthread_barrier_init(&done_, nullptr, static_cast<unsigned>(count + 1));
    pthread_barrier_init(&end_, nullptr, static_cast<unsigned>(count + 1));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * kKiB);
    for (pthread_t& thread : threads_) {
      if (pthread_create(&thread, &attributes, Run, this) != 0) abort();
    }
    pthread_attr_destroy(&attributes);
    pthread_barrier_wait(&begun_);
  }
  void LetWork() {
    pthread_barrier_wait(&begin_);
    pthread_barrier_wait(&done_);
  }
  ~Workers() {
    pthread_barrier_wait(&end_);
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }

 private:
  static void* Run(void* argument) {
    auto* workers = static_cast<Workers*>(argument);
    TouchStack();
    pthread_barrier_wait(&workers->begun_);
    pthread_barrier_wait(&workers->begin_);
    Work(workers->next_++);
    pthread_barrier_wait(&workers->done_);
    pthread_barrier_wait(&workers->end_);
    return nullptr;
  }

  std::vector<pthread_t> threads_;
  std::atomic<uint64_t> next_ = 0;
  pthread_barrier_t begun_;
  pthread_barrier_t begin_;
  pthread_barrier_t done_;
  pthread_barrier_t end_;
};

constexpr int kThreads = 500;
constexpr size_t kMostEach = 64 * kKiB;

// Resident memory beyond `base`, of each of the threads.
size_t EachBeyond(size_t base) {
  const size_t resident = ResidentBytes();
  return resident < base ? 0 : (resident - base) / kThreads;
}

TEST(IdleThreadsTest, KeepLittleWhenAnyThreadMakesCalls) {
  const ChildResult child = RunForked([] {
    Workers workers(kThreads);
    const size_t base = ResidentBytes();
    workers.LetWork();
    const size_t worked = EachBeyond(base);
    const auto end = Clock::now() + milliseconds(3000);
    while (Clock::now() < end) {
      free(Opaque(malloc(100)));
      std::this_thread::sleep_for(milliseconds(10));
    }
    RecordProperty("KiB_after_work", static_cast<int>(worked / kKiB));
    RecordProperty("KiB_at_rest", static_cast<int>(EachBeyond(base) / kKiB));
    EXPECT_LE(EachBeyond(base), kMostEach) << worked << " after work";
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(IdleThreadsTest, KeepLittleOnceMallocTrimWasCalled) {
  const ChildResult child = RunForked([] {
    Workers workers(kThreads);
    const size_t base = ResidentBytes();
    workers.LetWork();
    const size_t worked = EachBeyond(base);
    malloc_trim(0);
    EXPECT_LE(EachBeyond(base), kMostEach) << worked << " after work";
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
