// Model-checks the protocol by which the only thread learns of a second one
// (only_thread.h), together with the lock's: every interleaving, on memory as
// weak as C11's (testing/interleaver). membarrier's fence in every thread is
// modelled as one fence in each thread.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/sync/futex_lock.h"
#include "base/sync/only_thread.h"
#include "tests/interleaving/atomic.h"
#include "tests/interleaving/mutants.h"

namespace hakmem {
namespace {

using interleaver::Atomic;
using interleaver::Explore;
using interleaver::Options;
using interleaver::Plain;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

constexpr int kMaxThreads = 3;

// A multiple of 4, like an address.
constexpr uintptr_t NameOf(int thread) {
  return static_cast<uintptr_t>(thread + 1) * 16;
}

// What a variant leaves out, to show that it is needed.
enum class Without { kNothing, kFence, kWait, kCount };

struct State {
  explicit State(Without left_out) : without(left_out) {}

  const Without without;
  // The first thread is known from the start.
  Atomic<uintptr_t> named{NameOf(0)};
  Atomic<uint32_t> locks[kMaxThreads];
  Atomic<uint32_t> word{futex_lock::kFree};
  Plain<int> guarded = 0;

  void Fence() {
    if (without == Without::kFence) return;
    interleaver::ThreadFence(std::memory_order_seq_cst);
  }

  bool IsAlone(int thread) {
    if (only_thread::IsNamed(named, NameOf(thread))) return true;
    const Atomic<uint32_t>* waited_for = nullptr;
    return only_thread::Enter(
        named, NameOf(thread),
        [&](uintptr_t name) {
          waited_for = &locks[name / 16 - 1];
          if (without == Without::kWait) return uint32_t{0};
          return waited_for->load(std::memory_order_acquire);
        },
        [this] { Fence(); },
        // Sleeps until something changes.
        [&] { interleaver::FutexWait(waited_for, 1); });
  }

  void Section(int thread) {
    const bool counts = without != Without::kCount;
    if (counts) locks[thread].store(1, std::memory_order_relaxed);
    Fence();
    bool taken = false;
    if (IsAlone(thread) &&
        word.load(std::memory_order_relaxed) == futex_lock::kFree) {
      word.store(futex_lock::kHeld, std::memory_order_relaxed);
      taken = true;
    }
    if (!taken && !futex_lock::TryLock(word)) {
      futex_lock::LockSlow(
          word, 0, [] {},
          [](Atomic<uint32_t>& futex, uint32_t value) {
            interleaver::FutexWait(&futex, value);
          });
    }
    guarded = guarded + 1;
    if (only_thread::IsNamed(named, NameOf(thread))) {
      word.store(futex_lock::kFree, std::memory_order_relaxed);
    } else if (futex_lock::Unlock(word)) {
      interleaver::FutexWake(&word, 1);
    }
    if (counts) locks[thread].store(0, std::memory_order_release);
    interleaver::FutexWake(&locks[thread], kMaxThreads);
  }
};

class OnlyThreadModel : public testing::Test {
 protected:
  // The first thread runs `times` sections, each other thread one.
  Result Run(int threads, int times, Without without, const Options& options) {
    return Explore(
        [&, threads, times] {
          state_ = std::make_unique<State>(without);
          State* s = state_.get();
          Threads all;
          all.push_back([=] {
            for (int i = 0; i < times; ++i) s->Section(0);
          });
          for (int t = 1; t < threads; ++t) {
            all.push_back([=] { s->Section(t); });
          }
          return all;
        },
        [&, threads, times] {
          Require(state_->guarded == threads - 1 + times, "not excluded");
          Require(state_->named.load() == only_thread::kSeveral,
                  "the word names one thread");
        },
        options);
  }

  std::unique_ptr<State> state_;
};

// Not every schedule: those with the fewest switches suffice.
Options Bounded(int preemptions) {
  Options options;
  options.most_preemptions = preemptions;
  options.leaves_out_equals = false;
  return options;
}

TEST_F(OnlyThreadModel, ASecondThreadIsExcludedFromTheFirstOn) {
  const Result result = Run(2, 1, Without::kNothing, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

TEST_F(OnlyThreadModel, TheFirstGoesOnWithAtomicOperations) {
  const Result result = Run(2, 2, Without::kNothing, Bounded(3));
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 1000);
}

TEST_F(OnlyThreadModel, TwoThatComeAtOnceAreExcludedToo) {
  const Result result = Run(3, 1, Without::kNothing, Bounded(2));
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 1000);
}

// No thread is known: the first of two is named, and the other informs it.
TEST_F(OnlyThreadModel, WhoeverIsFirstIsNamed) {
  const Result result = Explore(
      [&] {
        state_ = std::make_unique<State>(Without::kNothing);
        State* s = state_.get();
        s->named.store(only_thread::kNobody);
        return Threads{[=] { s->Section(0); }, [=] { s->Section(1); }};
      },
      [&] { Require(state_->guarded == 2, "not excluded"); });
  EXPECT_TRUE(result.passed) << result.failure;
}

// --- Mutants -----------------------------------------------------------------

TEST_F(OnlyThreadModel, NeedsTheFencesTheWaitAndTheCount) {
  for (const Without without :
       {Without::kFence, Without::kWait, Without::kCount}) {
    EXPECT_FALSE(Run(2, 1, without, {}).passed) << static_cast<int>(without);
  }
}

TEST_F(OnlyThreadModel, NeedsItsMemoryOrders) {
  const Survivors survivors = interleaver::WeakenEach(
      "only_thread.h",
      [&](const Options& weakened) {
        return Run(3, 1, Without::kNothing, weakened);
      },
      Bounded(2));
  EXPECT_EQ(survivors.tried, 3);
  EXPECT_THAT(survivors.texts, testing::ElementsAre());
}

}  // namespace
}  // namespace hakmem
