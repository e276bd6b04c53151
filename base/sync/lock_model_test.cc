// Model-checks the protocol of Mutex: every interleaving of its steps and the
// kernel's, on memory as weak as C11's (testing/interleaver). Threads exclude
// one another, and none sleeps forever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "base/sync/futex_lock.h"
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

struct State {
  Atomic<uint32_t> word{futex_lock::kFree};
  Plain<int> guarded = 0;

  void Lock(int spins) {
    if (futex_lock::TryLock(word)) return;
    futex_lock::LockSlow(
        word, spins, [] {},
        [](Atomic<uint32_t>& futex, uint32_t value) {
          interleaver::FutexWait(&futex, value);
        });
  }
  void Unlock() {
    if (futex_lock::Unlock(word)) interleaver::FutexWake(&word, 1);
  }
  // To be called with the lock held: two threads here at once race.
  void Increment() { guarded = guarded + 1; }
};

class LockModel : public testing::Test {
 protected:
  // `threads` take and release the lock, each `times` times.
  Result Contend(int threads, int times, int spins, const Options& options) {
    return Explore(
        [&] {
          state_ = std::make_unique<State>();
          State* s = state_.get();
          const auto body = [=] {
            for (int i = 0; i < times; ++i) {
              s->Lock(spins);
              s->Increment();
              s->Unlock();
            }
          };
          return Threads(threads, body);
        },
        [&, threads, times] {
          Require(state_->guarded == threads * times, "not excluded");
          Require(state_->word.load() == futex_lock::kFree, "not released");
        },
        options);
  }

  std::unique_ptr<State> state_;
};

TEST_F(LockModel, TwoThreads) {
  for (const int spins : {0, 1}) {
    const Result result = Contend(2, 2, spins, {});
    EXPECT_TRUE(result.passed) << result.failure;
    EXPECT_GE(result.runs, 100);
  }
}

TEST_F(LockModel, ThreeThreads) {
  const Result result = Contend(3, 1, 0, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 1000);
}

TEST_F(LockModel, WhoOnlyTriesNeverWaits) {
  const Result result = Explore(
      [&] {
        state_ = std::make_unique<State>();
        State* s = state_.get();
        const auto tries = [=] {
          if (!futex_lock::TryLock(s->word)) return;
          s->Increment();
          s->Unlock();
        };
        return Threads{tries, tries, [=] {
                         s->Lock(1);
                         s->Increment();
                         s->Unlock();
                       }};
      },
      [&] { Require(state_->guarded >= 1, "nobody got it"); });
  EXPECT_TRUE(result.passed) << result.failure;
}

// --- Mutants -----------------------------------------------------------------

TEST_F(LockModel, NeedsItsMemoryOrders) {
  const Survivors survivors = interleaver::WeakenEach(
      "futex_lock.h",
      [&](const Options& options) { return Contend(2, 2, 1, options); });
  EXPECT_EQ(survivors.tried, 3);
  EXPECT_THAT(survivors.texts, testing::ElementsAre());
}

// Takes the lock as kHeld after sleeping: the next Unlock wakes no one, and a
// third thread sleeps on.
TEST_F(LockModel, MustSayThatOthersMayWait) {
  const Result result = Explore(
      [&] {
        state_ = std::make_unique<State>();
        State* s = state_.get();
        const auto body = [=] {
          while (!futex_lock::TryLock(s->word)) {
            uint32_t held = futex_lock::kHeld;
            s->word.compare_exchange_strong(held, futex_lock::kWaitedFor,
                                            std::memory_order_relaxed,
                                            std::memory_order_relaxed);
            interleaver::FutexWait(&s->word, futex_lock::kWaitedFor);
          }
          s->Unlock();
        };
        return Threads(3, body);
      },
      [] {});
  EXPECT_THAT(result.failure, testing::HasSubstr("deadlock"));
}

}  // namespace
}  // namespace hakmem
