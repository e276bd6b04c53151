// Exit paths not covered by late_calls_test: quick_exit, and destructors that
// create new thread-local objects repeatedly.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kRounds = 5;

// Each destructor is the first to use the next one: thread_local destructors
// run until none is left, here for five rounds.
template <int kRound>
struct Generation {
  Held held = {malloc(1000 * kRound), 1000 * kRound};
  Generation() { Fill(held.block, held.size, kRound); }
  ~Generation() {
    if (!Holds(held.block, held.size, kRound)) abort();
    free(held.block);
    if (!AllocateAndFree(kRound, 20)) abort();
    if constexpr (kRound < kRounds) Begin<kRound + 1>();
  }

  template <int kNext>
  static void Begin() {
    static thread_local Generation<kNext> next;
    Opaque(&next);
  }
};

pthread_key_t late_keys[kRounds];

// Sets the value again as long as pthread calls back; in each round after the
// library's own destructor ran, the thread has no cache.
void AllocateLate(void* value) {
  if (!AllocateAndFree(1, 20)) abort();
  const auto rounds = reinterpret_cast<uintptr_t>(value);
  if (rounds <= 1) return;
  for (const pthread_key_t key : late_keys) {
    if (pthread_getspecific(key) == nullptr) {
      pthread_setspecific(key, reinterpret_cast<void*>(rounds - 1));
    }
  }
}

void LiveThroughAllRounds() {
  Generation<1>::Begin<1>();
  for (const pthread_key_t key : late_keys) {
    pthread_setspecific(key, reinterpret_cast<void*>(uintptr_t{kRounds}));
  }
}

TEST(EndOfLifeTest, ManyRoundsOfThreadLocalDestructors) {
  for (pthread_key_t& key : late_keys) {
    ASSERT_EQ(pthread_key_create(&key, AllocateLate), 0);
  }
  std::thread(LiveThroughAllRounds).join();
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < 50; ++i) {
    std::thread one(LiveThroughAllRounds), two(LiveThroughAllRounds);
    one.join();
    two.join();
  }
  const hakmem_stats_t after = CollectedStats();
  // libc keeps what it allocates for a second thread.
  EXPECT_LE(after.live_bytes, before.live_bytes + 4 * kKiB);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.cached_bytes, before.cached_bytes + kMiB);
  EXPECT_EQ(HeapProblems(), 0);
  for (const pthread_key_t key : late_keys) pthread_key_delete(key);
}

// A thread that first allocates in the last round of pthread's destructors: the
// library is not notified of its end any more.
struct Countdown {
  pthread_key_t key;
  int rounds = 0;
};

void AllocateInTheLastRound(void* value) {
  auto* countdown = static_cast<Countdown*>(value);
  if (++countdown->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
    pthread_setspecific(countdown->key, value);
    return;
  }
  if (!AllocateAndFree(1, 20)) abort();
}

void* SetCountdown(void* value) {
  pthread_setspecific(static_cast<Countdown*>(value)->key, value);
  return nullptr;
}

TEST(EndOfLifeTest, NobodyWritesWhereALateThreadWas) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  // More than libc's stack cache holds: the stack, and the thread's memory in
  // it, are unmapped when the thread is joined.
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 64 * kMiB), 0);
  hakmem_stats_t before = {};
  Countdown countdown;
  ASSERT_EQ(pthread_key_create(&countdown.key, AllocateInTheLastRound), 0);
  for (int i = 0; i < 10; ++i) {
    countdown.rounds = 0;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, &attributes, SetCountdown, &countdown),
              0);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    ASSERT_EQ(countdown.rounds, PTHREAD_DESTRUCTOR_ITERATIONS);
    // Makes all live threads leave the hot path.
    ASSERT_EQ(Hakmem().events_start(), HasTracing() ? 0 : ENOSYS);
    free(Opaque(malloc(100)));
    Hakmem().events_stop();
    // libc keeps some memory from the first time.
    if (i == 0) before = CollectedStats();
    ExpectHeapVerifies(before);
    ASSERT_EQ(before.threads, 1u);
  }
  pthread_key_delete(countdown.key);
  pthread_attr_destroy(&attributes);
}

// The same often, without collecting: their caches are found when other threads
// start.
TEST(EndOfLifeTest, CachesOfLateThreadsAreUsedAgain) {
  Countdown countdown;
  ASSERT_EQ(pthread_key_create(&countdown.key, AllocateInTheLastRound), 0);
  uint64_t most = 0;
  for (int i = 0; i < 300; ++i) {
    countdown.rounds = 0;
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, nullptr, SetCountdown, &countdown), 0);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    ASSERT_EQ(countdown.rounds, PTHREAD_DESTRUCTOR_ITERATIONS);
    most = std::max(most, uint64_t{Stats().threads});
  }
  EXPECT_LE(most, 32u);
  EXPECT_EQ(CollectedStats().threads, 1u);
  EXPECT_EQ(HeapProblems(), 0);
  pthread_key_delete(countdown.key);
}

Held for_quick_exit;

void Say(const char* what) {
  if (write(STDERR_FILENO, what, strlen(what)) < 0) abort();
}

int ExitQuickly() {
  for_quick_exit = {malloc(5000), 5000};
  Fill(for_quick_exit.block, for_quick_exit.size, 1);
  // Not run: quick_exit calls no destructors.
  static struct NeverDestroyed {
    ~NeverDestroyed() { Say("destroyed\n"); }
  } never_destroyed;
  for (int i = 0; i < 2; ++i) {
    std::thread([] {
      for (uint64_t round = 0;; ++round) AllocateAndFree(round, 100);
    }).detach();
  }
  at_quick_exit([] {
    if (!Holds(for_quick_exit.block, for_quick_exit.size, 1)) abort();
    free(for_quick_exit.block);
    if (!AllocateAndFree(1, 100)) abort();
    Hakmem().collect();
    Say("freed at quick_exit\n");
  });
  // From a thread other than the first.
  std::thread([] { quick_exit(0); }).join();
  return 1;
}
const ChildProgram exit_quickly("exit_quickly", ExitQuickly);

TEST(EndOfLifeTest, HandlersOfQuickExitFree) {
  for (int i = 0; i < 10; ++i) {
    const ChildResult child = RunChildProgram("exit_quickly");
    ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
    ASSERT_EQ(child.err, "freed at quick_exit\n");
  }
}

}  // namespace
}  // namespace hakmem_test
