// The classic litmus tests: the memory model must allow exactly what C11 does
// (except load buffering, see memory_model.h), and nothing weak when
// sequential.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "tests/interleaving/atomic.h"
#include "tests/interleaving/interleaver.h"

namespace interleaver {
namespace {

using testing::Contains;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

struct State {
  Atomic<int> x, y;
  int r[6] = {};  // registers: each is written by one thread

  void Add(int number, int thread_register) { r[thread_register] = number; }
};

// The outcomes of `threads` (functions of a State&) over all runs, each as the
// text of the registers in order.
template <typename... Bodies>
std::set<std::string> Outcomes(int registers, Memory memory, Bodies... bodies) {
  std::set<std::string> outcomes;
  std::unique_ptr<State> state;
  Options options;
  options.memory = memory;
  const Result result = Explore(
      [&] {
        state = std::make_unique<State>();
        State* s = state.get();
        return Threads{std::bind(bodies, std::ref(*s))...};
      },
      [&] {
        std::string text;
        for (int i = 0; i < registers; ++i) {
          text += std::to_string(state->r[i]);
        }
        outcomes.insert(text);
      },
      options);
  EXPECT_TRUE(result.passed) << result.failure;
  return outcomes;
}

template <typename... Bodies>
std::set<std::string> Weak(int registers, Bodies... bodies) {
  return Outcomes(registers, Memory::kWeak, bodies...);
}

// --- Store buffering (Dekker) ------------------------------------------------

template <typename Between>
std::set<std::string> StoreBuffering(Memory memory, std::memory_order store,
                                     std::memory_order load, Between between) {
  return Outcomes(
      2, memory,
      [=](State& s) {
        s.x.store(1, store);
        between();
        s.r[0] = s.y.load(load);
      },
      [=](State& s) {
        s.y.store(1, store);
        between();
        s.r[1] = s.x.load(load);
      });
}

TEST(StoreBuffering, IsSeenWithReleaseAndAcquire) {
  const auto nothing = [] {};
  EXPECT_THAT(StoreBuffering(Memory::kWeak, kRelaxed, kRelaxed, nothing),
              UnorderedElementsAre("00", "01", "10", "11"));
  EXPECT_THAT(StoreBuffering(Memory::kWeak, kRelease, kAcquire, nothing),
              UnorderedElementsAre("00", "01", "10", "11"));
  const auto weak_fence = [] { ThreadFence(kAcqRel); };
  EXPECT_THAT(StoreBuffering(Memory::kWeak, kRelaxed, kRelaxed, weak_fence),
              UnorderedElementsAre("00", "01", "10", "11"));
}

TEST(StoreBuffering, IsNotSeenWithSeqCst) {
  const auto nothing = [] {};
  EXPECT_THAT(StoreBuffering(Memory::kWeak, kSeqCst, kSeqCst, nothing),
              UnorderedElementsAre("01", "10", "11"));
  const auto fence = [] { ThreadFence(kSeqCst); };
  EXPECT_THAT(StoreBuffering(Memory::kWeak, kRelaxed, kRelaxed, fence),
              UnorderedElementsAre("01", "10", "11"));
  EXPECT_THAT(StoreBuffering(Memory::kSequential, kRelaxed, kRelaxed, nothing),
              UnorderedElementsAre("01", "10", "11"));
}

TEST(StoreBuffering, OneFenceIsNotEnough) {
  EXPECT_THAT(Weak(
                  2,
                  [](State& s) {
                    s.x.store(1, kRelaxed);
                    ThreadFence(kSeqCst);
                    s.r[0] = s.y.load(kRelaxed);
                  },
                  [](State& s) {
                    s.y.store(1, kRelaxed);
                    s.r[1] = s.x.load(kRelaxed);
                  }),
              Contains("00"));
}

// --- Message passing ---------------------------------------------------------

std::set<std::string> MessagePassing(std::memory_order store,
                                     std::memory_order load) {
  return Weak(
      2,
      [=](State& s) {
        s.x.store(1, kRelaxed);
        s.y.store(1, store);
      },
      [=](State& s) {
        s.r[0] = s.y.load(load);
        s.r[1] = s.x.load(kRelaxed);
      });
}

TEST(MessagePassing, NeedsReleaseAndAcquire) {
  EXPECT_THAT(MessagePassing(kRelease, kAcquire),
              UnorderedElementsAre("00", "01", "11"));
  EXPECT_THAT(MessagePassing(kRelaxed, kAcquire), Contains("10"));
  EXPECT_THAT(MessagePassing(kRelease, kRelaxed), Contains("10"));
}

TEST(MessagePassing, WorksByFences) {
  EXPECT_THAT(Weak(
                  2,
                  [](State& s) {
                    s.x.store(1, kRelaxed);
                    ThreadFence(kRelease);
                    s.y.store(1, kRelaxed);
                  },
                  [](State& s) {
                    s.r[0] = s.y.load(kRelaxed);
                    ThreadFence(kAcquire);
                    s.r[1] = s.x.load(kRelaxed);
                  }),
              UnorderedElementsAre("00", "01", "11"));
}

// A relaxed read-modify-write continues a release sequence.
TEST(MessagePassing, GoesThroughAReadModifyWrite) {
  const auto outcomes = Weak(
      2,
      [](State& s) {
        s.x.store(1, kRelaxed);
        s.y.store(1, kRelease);
      },
      [](State& s) { s.y.fetch_add(2, kRelaxed); },
      [](State& s) {
        s.r[0] = s.y.load(kAcquire);
        s.r[1] = s.x.load(kRelaxed);
      });
  EXPECT_THAT(outcomes, Not(Contains("30")));
  EXPECT_THAT(outcomes, Contains("31"));
  EXPECT_THAT(outcomes, Contains("20"));
}

// A relaxed store does not (since C++20).
TEST(MessagePassing, DoesNotGoThroughAStore) {
  EXPECT_THAT(Weak(
                  2,
                  [](State& s) {
                    s.x.store(1, kRelaxed);
                    s.y.store(1, kRelease);
                    s.y.store(2, kRelaxed);
                  },
                  [](State& s) {
                    s.r[0] = s.y.load(kAcquire);
                    s.r[1] = s.x.load(kRelaxed);
                  }),
              Contains("20"));
}

// --- Independent reads of independent writes ---------------------------------

std::set<std::string> IndependentReads(std::memory_order load) {
  return Weak(
      4, [](State& s) { s.x.store(1, kRelease); },
      [](State& s) { s.y.store(1, kRelease); },
      [=](State& s) {
        s.r[0] = s.x.load(load);
        if (load == kRelaxed) ThreadFence(kSeqCst);
        s.r[1] = s.y.load(load);
      },
      [=](State& s) {
        s.r[2] = s.y.load(load);
        if (load == kRelaxed) ThreadFence(kSeqCst);
        s.r[3] = s.x.load(load);
      });
}

TEST(IndependentReads, MayDisagreeOnTheOrderWithAcquire) {
  EXPECT_THAT(IndependentReads(kAcquire), Contains("1010"));
  EXPECT_EQ(IndependentReads(kAcquire).size(), 16u);
}

TEST(IndependentReads, AgreeWithSeqCst) {
  EXPECT_EQ(IndependentReads(kSeqCst).size(), 15u);
  EXPECT_THAT(IndependentReads(kSeqCst), Not(Contains("1010")));
  EXPECT_THAT(IndependentReads(kRelaxed), Not(Contains("1010")));
}

// --- Coherence ---------------------------------------------------------------

TEST(Coherence, ReadsDoNotGoBack) {
  EXPECT_THAT(Weak(
                  2, [](State& s) { s.x.store(1, kRelaxed); },
                  [](State& s) {
                    s.r[0] = s.x.load(kRelaxed);
                    s.r[1] = s.x.load(kRelaxed);
                  }),
              UnorderedElementsAre("00", "01", "11"));
}

TEST(Coherence, AllSeeOneOrderOfStores) {
  const auto outcomes = Weak(
      4, [](State& s) { s.x.store(1, kRelaxed); },
      [](State& s) { s.x.store(2, kRelaxed); },
      [](State& s) {
        s.r[0] = s.x.load(kRelaxed);
        s.r[1] = s.x.load(kRelaxed);
      },
      [](State& s) {
        s.r[2] = s.x.load(kRelaxed);
        s.r[3] = s.x.load(kRelaxed);
      });
  EXPECT_THAT(outcomes, Contains("1212"));
  EXPECT_THAT(outcomes, Contains("2121"));
  EXPECT_THAT(outcomes, Not(Contains("1221")));
  EXPECT_THAT(outcomes, Not(Contains("2112")));
}

TEST(Coherence, AThreadSeesItsOwnStores) {
  EXPECT_THAT(Weak(
                  1,
                  [](State& s) {
                    s.x.store(1, kRelaxed);
                    s.r[0] = s.x.load(kRelaxed);
                  },
                  [](State& s) { s.x.store(2, kRelaxed); }),
              UnorderedElementsAre("1", "2"));
}

// Each thread's second store comes before the other's first: "2+2W".
TEST(Coherence, StoresToTwoPlacesMayBeOrderedInACircle) {
  const auto run = [](std::memory_order order) {
    std::set<std::string> finals;
    std::unique_ptr<State> state;
    Explore(
        [&] {
          state = std::make_unique<State>();
          State* s = state.get();
          return Threads{[=] {
                           s->x.store(1, kRelaxed);
                           s->y.store(2, order);
                         },
                         [=] {
                           s->y.store(1, kRelaxed);
                           s->x.store(2, order);
                         }};
        },
        [&] {
          finals.insert(std::to_string(state->x.load()) +
                        std::to_string(state->y.load()));
        });
    return finals;
  };
  EXPECT_THAT(run(kRelaxed), UnorderedElementsAre("11", "12", "21", "22"));
  EXPECT_THAT(run(kSeqCst), Not(Contains("11")));
}

TEST(ReadModifyWrite, IsAtomic) {
  EXPECT_THAT(Weak(
                  2, [](State& s) { s.r[0] = s.x.fetch_add(1, kRelaxed); },
                  [](State& s) { s.r[1] = s.x.fetch_add(1, kRelaxed); }),
              UnorderedElementsAre("01", "10"));
}

TEST(ReadModifyWrite, OnlyOneCompareExchangeWins) {
  const auto claim = [](State& s, int i) {
    int expected = 0;
    s.r[i] = s.x.compare_exchange_strong(expected, i + 1, kRelaxed, kRelaxed);
    if (s.r[i] == 0) s.r[i + 2] = expected;
  };
  EXPECT_THAT(
      Weak(
          4, [=](State& s) { claim(s, 0); }, [=](State& s) { claim(s, 1); }),
      UnorderedElementsAre("1001", "0120"));
}

// Documents what the model leaves out.
TEST(LoadBuffering, IsNotShown) {
  EXPECT_THAT(Weak(
                  2,
                  [](State& s) {
                    s.r[0] = s.x.load(kRelaxed);
                    s.y.store(1, kRelaxed);
                  },
                  [](State& s) {
                    s.r[1] = s.y.load(kRelaxed);
                    s.x.store(1, kRelaxed);
                  }),
              UnorderedElementsAre("00", "01", "10"));
}

}  // namespace
}  // namespace interleaver
