// Runs the remote-free protocol under every interleaving of its steps, on a
// memory as weak as C11's (testing/interleaver). Each of its memory orders made
// weaker must be found out.

#include "backend/remote_frees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "testing/interleaver/atomic.h"
#include "testing/interleaver/interleaver.h"
#include "testing/interleaver/mutants.h"

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
using interleaver::WeakenEach;

// --- The protocol's parties --------------------------------------------------

struct Page;

struct Heap {
  Atomic<Page*> waiting_pages;
};

struct Page {
  Atomic<Heap*> owner;
  Atomic<bool> waiting;
  Plain<Page*> next_waiting = nullptr;
  Atomic<unsigned> bits;
};

constexpr auto kRelaxed = std::memory_order_relaxed;

struct State {
  Heap heaps[2];
  Page pages[2];
  Plain<int> contents[3];          // of the blocks, by bit
  unsigned harvested[2] = {0, 0};  // by heap; the collecting thread's
};

// What FreeRemotely does with one block, after the program wrote to it.
void FreeBlock(State& s, Page& page, unsigned bit) {
  s.contents[std::countr_zero(bit)] = 1;
  Heap* owner = page.owner.load(kRelaxed);
  const unsigned before = page.bits.fetch_or(bit, std::memory_order_release);
  Require((before & bit) == 0, "a block was freed twice");
  DeliverRemotePage(&page, owner);
}

void Collect(State& s, int heap) {
  CollectRemotePages<Page>(&s.heaps[heap], [&](Page* page) {
    const unsigned bits = page->bits.exchange(0, std::memory_order_acquire);
    Require((s.harvested[heap] & bits) == 0, "a block came back twice");
    s.harvested[heap] |= bits;
    // Handed out again, and written to.
    for (unsigned b = bits; b != 0; b &= b - 1) {
      s.contents[std::countr_zero(b)] = 2;
    }
  });
}

class RemoteFrees : public testing::Test {
 protected:
  std::unique_ptr<State> state_;

  template <typename... Bodies>
  std::function<Threads()> Make(Bodies... bodies) {
    return [this, bodies...] {
      state_ = std::make_unique<State>();
      for (Page& page : state_->pages) {
        page.owner.store(&state_->heaps[0], kRelaxed);
        interleaver::Name(&page.bits, "bits");
        interleaver::Name(&page.waiting, "waiting");
        interleaver::Name(&page.owner, "owner");
        interleaver::Name(&page.next_waiting, "next_waiting");
      }
      for (Heap& heap : state_->heaps) {
        interleaver::Name(&heap.waiting_pages, "waiting_pages");
      }
      for (Plain<int>& block : state_->contents) {
        interleaver::Name(&block, "a block");
      }
      return Threads{std::bind(bodies, std::ref(*state_))...};
    };
  }

  // After all is quiet, collecting must find every block there was, once.
  void RequireAllHarvested(unsigned by_first, unsigned by_second) {
    Collect(*state_, 0);
    Collect(*state_, 1);
    Require(state_->harvested[0] == by_first, "lost by the first heap");
    Require(state_->harvested[1] == by_second, "lost by the second heap");
    for (Page& page : state_->pages) {
      Require(!page.waiting.load(kRelaxed), "a page waits for ever");
      Require(page.bits.load(kRelaxed) == 0, "bits stay behind");
    }
  }
};

TEST_F(RemoteFrees, TwoThreadsFreeIntoOnePageWhileItsOwnerCollects) {
  const Result result =
      Explore(Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
                   [](State& s) { FreeBlock(s, s.pages[0], 2); },
                   [](State& s) { Collect(s, 0); }),
              [&] { RequireAllHarvested(3, 0); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);  // of schedules that differ in something
}

TEST_F(RemoteFrees, OneThreadFreesTwiceWhileTheOwnerCollectsTwice) {
  const Result result = Explore(Make(
                                    [](State& s) {
                                      FreeBlock(s, s.pages[0], 1);
                                      FreeBlock(s, s.pages[0], 2);
                                    },
                                    [](State& s) {
                                      Collect(s, 0);
                                      Collect(s, 0);
                                    }),
                                [&] { RequireAllHarvested(3, 0); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

TEST_F(RemoteFrees, TwoPagesOfOneOwnerShareItsStack) {
  const Result result =
      Explore(Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
                   [](State& s) { FreeBlock(s, s.pages[1], 2); },
                   [](State& s) { Collect(s, 0); }),
              [&] { RequireAllHarvested(3, 0); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// Two threads free a page's last two blocks. Its owner, once it has both, gives
// the page up; another heap begins it anew, hands out a block, and that block
// is freed remotely too, while the first two threads may still be delivering.
class PageThatChangesOwner : public RemoteFrees {
 protected:
  Result Run(const Options& options) {
    changed_ = 0;
    return Explore(
        Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
             [](State& s) { FreeBlock(s, s.pages[0], 2); },
             [this](State& s) {
               Collect(s, 0);
               if (s.harvested[0] != 3) return;
               ++changed_;
               s.pages[0].owner.store(nullptr, kRelaxed);
               s.pages[0].owner.store(&s.heaps[1], std::memory_order_release);
               FreeBlock(s, s.pages[0], 4);
             }),
        [&] {
          Collect(*state_, 0);
          Collect(*state_, 1);
          const bool was_changed =
              state_->pages[0].owner.load(kRelaxed) == &state_->heaps[1];
          const unsigned all = state_->harvested[0] | state_->harvested[1];
          Require(all == (was_changed ? 7u : 3u), "a block was lost");
          Require(state_->harvested[1] == (was_changed ? 4u : 0u),
                  "harvested by another than the owner");
        },
        options);
  }

  int64_t changed_ = 0;
};

TEST_F(PageThatChangesOwner, LosesNothingWhileADeliveryIsUnderWay) {
  const Result result = Run({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GE(changed_, 20);
}

// The heap that takes the page over collects in its own thread, while the old
// owner's push may still be under way.
TEST_F(RemoteFrees, ThePagesNewOwnerCollectsInAnotherThread) {
  const auto explore = [&](const Options& options) {
    return Explore(
        Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
             [](State& s) { FreeBlock(s, s.pages[0], 2); },
             [](State& s) {
               Collect(s, 0);
               if (s.harvested[0] != 3) return;
               s.pages[0].owner.store(nullptr, kRelaxed);
               s.pages[0].owner.store(&s.heaps[1], std::memory_order_release);
               FreeBlock(s, s.pages[0], 4);
             },
             [](State& s) { Collect(s, 1); }),
        [&] {
          Collect(*state_, 0);
          Collect(*state_, 1);
          const bool was_changed =
              state_->pages[0].owner.load(kRelaxed) == &state_->heaps[1];
          Require(state_->harvested[0] == 3u, "lost by the first heap");
          Require(state_->harvested[1] == (was_changed ? 4u : 0u),
                  "lost by the second heap");
        },
        options);
  };
  const Result result = explore({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// Every schedule, none left out, sequentially.
TEST_F(PageThatChangesOwner, LosesNothingInAnySchedule) {
  Options options;
  options.memory = interleaver::Memory::kSequential;
  options.leaves_out_equals = false;
  const Result result = Run(options);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GT(result.runs, 10'000);
}

// --- Mutants -----------------------------------------------------------------

TEST_F(PageThatChangesOwner, NeedsItsMemoryOrders) {
  const Survivors survivors = WeakenEach(
      "remote_frees.h", [&](const Options& options) { return Run(options); });
  EXPECT_GE(survivors.tried, 6);
  // Two keep the setting of the bits from being seen after the exchange that
  // follows it: load buffering, which the model does not show. The third, of
  // the owner of now, would matter if heaps were not zeros when they begin.
  EXPECT_THAT(survivors.texts,
              testing::ElementsAre("remote_frees.h exchange acq_rel -> acquire",
                                   "remote_frees.h exchange acq_rel -> release",
                                   "remote_frees.h load acquire -> relaxed"));
}

// Steps 2 and 1 swapped: delivers before there is something to deliver.
TEST_F(RemoteFrees, MustSetTheBitBeforeItDelivers) {
  EXPECT_FALSE(Explore(Make(
                           [](State& s) {
                             Page& page = s.pages[0];
                             DeliverRemotePage(&page,
                                               page.owner.load(kRelaxed));
                             page.bits.fetch_or(1, std::memory_order_release);
                           },
                           [](State& s) { Collect(s, 0); }),
                       [&] { RequireAllHarvested(1, 0); })
                   .passed);
}

// Steps 5 and 6 swapped: a bit set in between is neither taken nor delivered.
TEST_F(RemoteFrees, MustStopWaitingBeforeItTakesTheBits) {
  EXPECT_FALSE(
      Explore(Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
                   [](State& s) { FreeBlock(s, s.pages[0], 2); },
                   [](State& s) {
                     Page* page = s.heaps[0].waiting_pages.exchange(
                         nullptr, std::memory_order_acquire);
                     if (page == nullptr) return;
                     s.harvested[0] |=
                         page->bits.exchange(0, std::memory_order_acquire);
                     page->waiting.exchange(false, std::memory_order_acq_rel);
                   }),
              [&] { RequireAllHarvested(3, 0); })
          .passed);
}

// The owner of now is read before the page stops waiting: a page that changes
// hands in between is delivered to nobody.
TEST_F(RemoteFrees, MustReadTheOwnerAfterThePageStopsWaiting) {
  EXPECT_FALSE(
      Explore(Make([](State& s) { FreeBlock(s, s.pages[0], 1); },
                   [](State& s) { FreeBlock(s, s.pages[0], 2); },
                   [](State& s) {
                     for (int round = 0; round < 2; ++round) {
                       Page* page = s.heaps[0].waiting_pages.exchange(
                           nullptr, std::memory_order_acquire);
                       if (page == nullptr) return;
                       page->waiting.exchange(false, std::memory_order_acq_rel);
                       s.harvested[0] |=
                           page->bits.exchange(0, std::memory_order_acquire);
                       if (s.harvested[0] != 3) continue;
                       // Gives the page to the other heap, and leaves what may
                       // still be pushed to this one alone.
                       page->owner.store(&s.heaps[1],
                                         std::memory_order_release);
                       FreeBlock(s, *page, 4);
                       return;
                     }
                   }),
              [&] {
                Collect(*state_, 1);
                Require(state_->harvested[0] != 3 || state_->harvested[1] == 4,
                        "not delivered to the new owner");
              })
          .passed);
}

}  // namespace
}  // namespace hakmem
