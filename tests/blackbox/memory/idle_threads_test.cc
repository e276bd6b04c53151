// idle_threads_test.cc: threads that worked and now wait, for ever as far as
// anyone knows, keep little: what they have kept goes back when another thread
// makes any calls, or by malloc_trim.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/misuse_test_helper.h"
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

enum class Manner { kAtOnce, kInTurn };

// Threads that work when they are told to, at once or one after another, and
// then wait until this goes out of scope.
class Workers {
 public:
  explicit Workers(int count, Manner manner = Manner::kAtOnce)
      : manner_(manner), threads_(count) {
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
    if (workers->manner_ == Manner::kInTurn) {
      const std::lock_guard lock(workers->turn_);
      Work(workers->next_++);
    } else {
      Work(workers->next_++);
    }
    pthread_barrier_wait(&workers->done_);
    pthread_barrier_wait(&workers->end_);
    return nullptr;
  }

  const Manner manner_;
  std::mutex turn_;
  std::vector<pthread_t> threads_;
  std::atomic<uint64_t> next_ = 0;
  pthread_barrier_t begun_;
  pthread_barrier_t begin_;
  pthread_barrier_t done_;
  pthread_barrier_t end_;
};

constexpr int kThreads = 500;
constexpr size_t kMostEach = 64 * kKiB;

// The first threads of a process, four per processor, are taken for busy: their
// bins are out of reach.
size_t FirstThreads() {
  return static_cast<size_t>(4 * sysconf(_SC_NPROCESSORS_CONF));
}

// The most that may be resident, of each of the threads.
size_t MostEach() { return kMostEach + FirstThreads() * 2 * kMiB / kThreads; }

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
    EXPECT_LE(EachBeyond(base), MostEach()) << worked << " after work";
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

int WorkInTurn() {
  const uint64_t before = Stats().cached_bytes;
  Workers workers(kThreads, Manner::kInTurn);
  workers.LetWork();
  const uint64_t cached = Stats().cached_bytes - before;
  // Half of it for spans, which have a bound of their own. A quarantine is not
  // for others to reuse.
  const size_t most_each =
      2 * kMostEach + (LevelHere() == kFull ? 256 * kKiB : 0);
  EXPECT_LE(cached, kThreads * most_each + FirstThreads() * 2 * kMiB);
  EXPECT_EQ(HeapProblems(), 0);
  return testing::Test::HasFailure() ? 1 : 0;
}
const ChildProgram work_in_turn("work_in_turn", WorkInTurn);

// Without anybody's help, before the decay time has passed.
TEST(IdleThreadsTest, KeepLittleAtOnceWhenTheyAreMany) {
  const ChildResult child =
      RunChildProgram("work_in_turn", {{"HAKMEM_DECAY", "3600000"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(IdleThreadsTest, KeepLittleOnceMallocTrimWasCalled) {
  const ChildResult child = RunForked([] {
    Workers workers(kThreads);
    const size_t base = ResidentBytes();
    workers.LetWork();
    const size_t worked = EachBeyond(base);
    malloc_trim(0);
    EXPECT_LE(EachBeyond(base), MostEach()) << worked << " after work";
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// A handler that interrupts whatever its thread does, and sleeps there.
void SleepInHandler(int) {
  const int saved = errno;
  const timespec pause{0, 3'000'000};
  nanosleep(&pause, nullptr);
  errno = saved;
}

// Threads that allocate and free; how many blocks lost their contents.
class Verifiers {
 public:
  explicit Verifiers(int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, i] {
        for (uint64_t round = 0; !stop_; ++round) {
          if (!Verify(round * 1000 + static_cast<uint64_t>(i))) ++wrong_;
        }
      });
    }
  }
  int Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    return wrong_;
  }
  std::vector<std::thread>& threads() { return threads_; }

 private:
  static bool Verify(uint64_t seed) {
    std::mt19937_64 random(seed);
    Held all[40] = {};
    bool is_right = true;
    const auto release = [&](const Held& held) {
      is_right = is_right && Holds(held.block, held.size, held.size);
      free(held.block);
    };
    for (int i = 0; i < 500; ++i) {
      Held& held = all[random() % 40];
      if (held.block != nullptr) release(held);
      held.size = SizeOfTheMix(random);
      held.block = malloc(held.size);
      Fill(held.block, held.size, held.size);
    }
    for (const Held& held : all) {
      if (held.block != nullptr) release(held);
    }
    return is_right;
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> wrong_ = 0;
  std::vector<std::thread> threads_;
};

class InterruptedThreadsTest : public testing::TestWithParam<int> {};

// Two threads have their bins, twenty a reserve and little that is visible.
TEST_P(InterruptedThreadsTest, AreNotHarmedByATrim) {
  const ChildResult child = RunForked([] {
    struct sigaction action = {};
    action.sa_handler = SleepInHandler;
    sigaction(SIGUSR1, &action, nullptr);
    std::mt19937_64 random(1);
    Verifiers verifiers(GetParam());
    const auto end = Clock::now() + milliseconds(3000);
    while (Clock::now() < end) {
      for (int i = 0; i < 4; ++i) {
        std::thread& thread =
            verifiers.threads()[random() % verifiers.threads().size()];
        pthread_kill(thread.native_handle(), SIGUSR1);
      }
      malloc_trim(0);
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(verifiers.Stop(), 0);
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

INSTANTIATE_TEST_SUITE_P(Threads, InterruptedThreadsTest,
                         testing::Values(2, 20));

TEST(IdleThreadsTest, BeginAndEndWhileOthersTrim) {
  const ChildResult child = RunForked([] {
    std::atomic<bool> stop = false;
    std::vector<std::thread> trimming;
    for (int i = 0; i < 2; ++i) {
      trimming.emplace_back([&] {
        while (!stop) malloc_trim(0);
      });
    }
    const auto end = Clock::now() + milliseconds(2000);
    while (Clock::now() < end) {
      Workers workers(24);
      workers.LetWork();
    }
    stop = true;
    for (std::thread& thread : trimming) thread.join();
    EXPECT_EQ(HeapProblems(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// Of the threads that a child of a fork has not, what they had in reserve is
// free there.
TEST(IdleThreadsTest, LeaveLittleToAChildWithoutThem) {
  const ChildResult child = RunForked([] {
    const size_t few = FirstThreads();
    constexpr size_t kOthers = 24;
    const hakmem_stats_t before = CollectedStats();
    Workers workers(static_cast<int>(few + kOthers));
    workers.LetWork();
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      const hakmem_stats_t inherited = CollectedStats();
      const bool is_little =
          inherited.live_bytes <
              before.live_bytes + few * 2 * kMiB + kOthers * 16 * kKiB &&
          inherited.span_live_bytes < before.span_live_bytes + (1 + few) * kMiB;
      _exit(is_little && HeapProblems() == 0 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
