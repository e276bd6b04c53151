// Runs bins_switch.h under every interleaving of a thread that shows its bins
// and one that switches events on, with memory as weak as C11 allows
// (testing/interleaver).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

// First the replacements for atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "frontend/thread_cache/bins_switch.h"
#include "tests/interleaving/mutants.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

constexpr auto kRelaxed = std::memory_order_relaxed;

struct Table {};

Table none;

// A thread's entry in the list of caches.
struct Cache {
  Table bins;
  std::atomic<Table*> in_use{&none};
  bool is_listed = true;
};

struct State {
  std::atomic<bool> events_on{false};
  Mutex caches_mutex;
  Cache caches[2];

  void Show(Cache& cache) {
    ShowBinsUnless([&] { return events_on.load(kRelaxed); }, cache.in_use,
                   &cache.bins, &none);
  }
  void StartEvents() {
    events_on.store(true, kRelaxed);
    HideBinsOfAll(&none, [&](auto&& hide) {
      MutexLock lock(caches_mutex);
      for (Cache& cache : caches) {
        if (cache.is_listed) hide(cache.in_use);
      }
    });
  }
};

class BinsSwitch : public testing::Test {
 protected:
  void Make() { state_ = std::make_unique<State>(); }

  void RequireAllHidden() {
    for (Cache& cache : state_->caches) {
      Require(cache.in_use.load(kRelaxed) == &none,
              "a thread's calls are not recorded");
    }
  }

  // Two threads show their bins while a third switches events on.
  Result ShowWhileSwitchedOn(const Options& options) {
    return Explore(
        [&] {
          Make();
          State* s = state_.get();
          return Threads{[s] { s->Show(s->caches[0]); },
                         [s] { s->Show(s->caches[1]); },
                         [s] { s->StartEvents(); }};
        },
        [&] { RequireAllHidden(); }, options);
  }

  std::unique_ptr<State> state_;
};

TEST_F(BinsSwitch, NoThreadsBinsStayInSight) {
  const Result result = ShowWhileSwitchedOn({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

TEST_F(BinsSwitch, NeedsBothFences) {
  const Survivors survivors = interleaver::WeakenEach(
      "bins_switch.h",
      [&](const Options& options) { return ShowWhileSwitchedOn(options); });
  EXPECT_EQ(survivors.tried, 2);
  EXPECT_THAT(survivors.texts, testing::ElementsAre());
}

// Events go off and on again while a thread looks at the clock as
// ThreadCache::PollClock does: hides, shows.
TEST_F(BinsSwitch, OffAndOnAgain) {
  const Result result = Explore(
      [&] {
        Make();
        State* s = state_.get();
        s->events_on.store(true, kRelaxed);
        return Threads{[s] {
                         s->Show(s->caches[0]);
                         s->caches[0].in_use.store(&none, kRelaxed);
                         s->Show(s->caches[0]);
                       },
                       [s] {
                         s->events_on.store(false, kRelaxed);
                         s->StartEvents();
                       }};
      },
      [&] { RequireAllHidden(); });
  EXPECT_TRUE(result.passed) << result.failure;
}

// Two threads switch on; one finds them on already and does nothing more. When
// both are done, all bins are hidden, whoever hid them.
TEST_F(BinsSwitch, TwoSwitchOn) {
  const Result result = Explore(
      [&] {
        Make();
        State* s = state_.get();
        return Threads{[s] { s->StartEvents(); }, [s] { s->StartEvents(); },
                       [s] { s->Show(s->caches[0]); }};
      },
      [&] { RequireAllHidden(); });
  EXPECT_TRUE(result.passed) << result.failure;
}

// A new thread enters the list before it shows its bins (Attach).
TEST_F(BinsSwitch, AThreadBeginsMeanwhile) {
  const auto begin = [&](bool lists_first) {
    return Explore(
        [&] {
          Make();
          State* s = state_.get();
          s->caches[0].is_listed = false;
          return Threads{[s, lists_first] {
                           if (!lists_first) s->Show(s->caches[0]);
                           {
                             MutexLock lock(s->caches_mutex);
                             s->caches[0].is_listed = true;
                           }
                           if (lists_first) s->Show(s->caches[0]);
                         },
                         [s] { s->StartEvents(); }};
        },
        [&] { RequireAllHidden(); });
  };
  const Result result = begin(/*lists_first=*/true);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_FALSE(begin(/*lists_first=*/false).passed);
}

// Checks whether events are on before it shows its bins: the planted mistake.
TEST_F(BinsSwitch, MustAskAfterItShows) {
  EXPECT_FALSE(Explore(
                   [&] {
                     Make();
                     State* s = state_.get();
                     return Threads{[s] {
                                      if (!s->events_on.load(kRelaxed)) {
                                        s->caches[0].in_use.store(
                                            &s->caches[0].bins, kRelaxed);
                                      }
                                    },
                                    [s] { s->StartEvents(); }};
                   },
                   [&] { RequireAllHidden(); })
                   .passed);
}

}  // namespace
}  // namespace hakmem
