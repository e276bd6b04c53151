// The interleaver must find lost updates, data races, deadlocks, lost wake-ups
// and endless runs, and must explore every schedule.

#include "tests/interleaving/interleaver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "tests/interleaving/atomic.h"
#include "tests/interleaving/mutants.h"

namespace interleaver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

struct State {
  Atomic<uint32_t> a, b;
  Plain<int> plain;
  Lock first, second;
};

class Interleaver : public testing::Test {
 protected:
  template <typename... Bodies>
  std::function<Threads()> Make(Bodies... bodies) {
    return [this, bodies...] {
      state_ = std::make_unique<State>();
      State* s = state_.get();
      Name(&s->plain, "plain");
      return Threads{std::bind(bodies, std::ref(*s))...};
    };
  }

  std::unique_ptr<State> state_;
};

TEST_F(Interleaver, FindsALostIncrement) {
  const auto increment = [](State& s) {
    s.a.store(s.a.load(kRelaxed) + 1, kRelaxed);
  };
  for (const Memory memory : {Memory::kSequential, Memory::kWeak}) {
    Options options;
    options.memory = memory;
    const Result result = Explore(
        Make(increment, increment),
        [&] { Require(state_->a.load() == 2, "lost"); }, options);
    EXPECT_FALSE(result.passed);
    EXPECT_THAT(result.failure, HasSubstr("lost"));
    EXPECT_THAT(result.failure, HasSubstr("thread 1: store"));
  }
  const auto atomically = [](State& s) { s.a.fetch_add(1, kRelaxed); };
  EXPECT_TRUE(Explore(Make(atomically, atomically, atomically), [&] {
                Require(state_->a.load() == 3, "lost");
              }).passed);
}

// 3 threads of 2 steps on one location have 6!/(2!)^3 = 90 schedules.
TEST_F(Interleaver, GoesThroughEverySchedule) {
  const auto twice = [](State& s) {
    s.a.fetch_add(1, kRelaxed);
    s.a.fetch_add(1, kRelaxed);
  };
  Options options;
  options.memory = Memory::kSequential;
  const Result result = Explore(
      Make(twice, twice, twice), [] {}, options);
  EXPECT_EQ(result.runs, 90);
  EXPECT_EQ(result.cut_short, 0);
}

TEST_F(Interleaver, RunsOneOfSchedulesThatDifferInNothing) {
  const Result result = Explore(Make([](State& s) { s.a.store(1, kRelaxed); },
                                     [](State& s) { s.b.store(1, kRelaxed); }),
                                [] {});
  EXPECT_EQ(result.runs, 1);
}

TEST_F(Interleaver, ABoundOnPreemptionsLeavesSchedulesOut) {
  const auto twice = [](State& s) {
    s.a.fetch_add(1, kRelaxed);
    s.a.fetch_add(1, kRelaxed);
  };
  Options options;
  options.most_preemptions = 0;
  EXPECT_EQ(Explore(
                Make(twice, twice), [] {}, options)
                .runs,
            2);
  options.most_preemptions = 1;
  EXPECT_EQ(Explore(
                Make(twice, twice), [] {}, options)
                .runs,
            4);
}

// Skipping equivalent schedules must not change the set of outcomes: random
// programs of three threads, with and without skipping.
TEST_F(Interleaver, LeavingEqualSchedulesOutLosesNoOutcome) {
  static constexpr std::memory_order kOrders[] = {kRelaxed, kAcquire, kRelease,
                                                  std::memory_order_seq_cst};
  std::mt19937 random(1);
  for (int program = 0; program < 60; ++program) {
    std::vector<std::vector<uint32_t>> code(3);
    for (std::vector<uint32_t>& thread : code) {
      for (size_t i = 0; i < 2; ++i) thread.push_back(random());
    }
    std::vector<uint32_t> seen[3];
    const auto run = [&](State& s, size_t t) {
      seen[t].clear();
      uint32_t number = static_cast<uint32_t>(t) * 10;
      for (const uint32_t c : code[t]) {
        Atomic<uint32_t>& at = c % 2 == 0 ? s.a : s.b;
        const std::memory_order order = kOrders[c / 2 % 4];
        ++number;
        switch (c / 8 % 4) {
          case 0:
            at.store(number, order == kAcquire ? kRelease : order);
            break;
          case 1:
            seen[t].push_back(at.exchange(number, order));
            break;
          case 2:
            ThreadFence(order);
            at.store(number, kRelaxed);
            break;
          default:
            seen[t].push_back(at.load(order == kRelease ? kAcquire : order));
        }
      }
    };
    const auto outcomes = [&](bool leaves_out_equals) {
      std::set<std::vector<uint32_t>> all;
      Options options;
      options.leaves_out_equals = leaves_out_equals;
      const Result result = Explore(
          Make([&](State& s) { run(s, 0); }, [&](State& s) { run(s, 1); },
               [&](State& s) { run(s, 2); }),
          [&] {
            std::vector<uint32_t> outcome;
            for (const auto& part : seen) {
              outcome.insert(outcome.end(), part.begin(), part.end());
            }
            outcome.push_back(state_->a.load());
            outcome.push_back(state_->b.load());
            all.insert(outcome);
          },
          options);
      EXPECT_TRUE(result.passed) << result.failure;
      return all;
    };
    ASSERT_EQ(outcomes(true), outcomes(false)) << "program " << program;
  }
}

TEST_F(Interleaver, FindsADataRace) {
  const auto result = Explore(
      Make([](State& s) { s.plain = 1; }, [](State& s) { s.plain = 2; }),
      [] {});
  EXPECT_THAT(result.failure, HasSubstr("data race"));
  EXPECT_THAT(result.failure, HasSubstr("writes plain"));
}

TEST_F(Interleaver, FindsAMissingReleaseAndAcquire) {
  const auto publish = Make(
      [](State& s) {
        s.plain = 7;
        s.a.store(1, kRelease);
      },
      [](State& s) {
        if (s.a.load(kAcquire) == 1) Require(s.plain == 7, "stale");
      });
  const auto explore = [&](const Options& options) {
    return Explore(
        publish, [] {}, options);
  };
  EXPECT_TRUE(explore({}).passed);
  const Survivors survivors = WeakenEach("interleaver_test.cc", explore);
  EXPECT_EQ(survivors.tried, 2);
  EXPECT_THAT(survivors.texts, IsEmpty());
}

TEST_F(Interleaver, NamesAnOrderThatIsNotNeeded) {
  const auto explore = [&](const Options& options) {
    return Explore(
        Make([](State& s) { s.a.store(1, kRelease); },
             [](State& s) { s.a.load(kRelaxed); }),
        [] {}, options);
  };
  EXPECT_THAT(WeakenEach("interleaver_test.cc", explore).texts,
              ElementsAre("interleaver_test.cc store release -> relaxed"));
}

TEST_F(Interleaver, LocksOrderPlainVariables) {
  const auto body = [](State& s) {
    s.first.Take();
    s.plain = s.plain + 1;
    s.first.Release();
  };
  const Result result = Explore(Make(body, body, body), [&] {
    Require(state_->plain == 3, "not excluded");
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_EQ(result.runs, 6);
}

TEST_F(Interleaver, FindsADeadlock) {
  const Result result = Explore(Make(
                                    [](State& s) {
                                      s.first.Take();
                                      s.second.Take();
                                      s.second.Release();
                                      s.first.Release();
                                    },
                                    [](State& s) {
                                      s.second.Take();
                                      s.first.Take();
                                      s.first.Release();
                                      s.second.Release();
                                    }),
                                [] {});
  EXPECT_THAT(result.failure, HasSubstr("deadlock"));
}

TEST_F(Interleaver, FindsALostWakeUp) {
  // Wakes before storing the value that the waiter waits for.
  EXPECT_THAT(Explore(Make(
                          [](State& s) {
                            FutexWake(&s.a, 1);
                            s.a.store(1, kRelaxed);
                          },
                          [](State& s) { FutexWait(&s.a, 0); }),
                      [] {})
                  .failure,
              HasSubstr("deadlock"));
  EXPECT_TRUE(Explore(Make(
                          [](State& s) {
                            s.a.store(1, kRelaxed);
                            FutexWake(&s.a, 1);
                          },
                          [](State& s) { FutexWait(&s.a, 0); }),
                      [] {})
                  .passed);
}

TEST_F(Interleaver, FindsARunWithoutEnd) {
  EXPECT_THAT(Explore(Make([](State& s) {
                        while (s.a.load(kRelaxed) == 0) {
                        }
                      }),
                      [] {})
                  .failure,
              HasSubstr("without end"));
}

TEST_F(Interleaver, SaysWhenItDidNotFinish) {
  Options options;
  options.most_runs = 10;
  const auto thrice = [](State& s) {
    for (int i = 0; i < 3; ++i) s.a.fetch_add(1, kRelaxed);
  };
  EXPECT_FALSE(Explore(
                   Make(thrice, thrice), [] {}, options)
                   .passed);
}

}  // namespace
}  // namespace interleaver
