// Runs the remote-free protocol under every interleaving of its steps, on a
// memory as weak as C11's (testing/interleaver). Weakening any of its memory
// orders must make a test fail.

#include "backend/segment/remote_frees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/interleaving/atomic.h"
#include "tests/interleaving/interleaver.h"
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
using interleaver::WeakenEach;

// --- The protocol's parties --------------------------------------------------

struct Link;
struct Page;

struct Heap {
  Atomic<Link*> waiting_links;
};

struct Link {
  Atomic<Heap*> owner;
  Atomic<bool> waiting;
  Plain<Link*> next_waiting = nullptr;
  Page* page = nullptr;
};

struct Page {
  Plain<int> metadata = 1;  // the metadata only the owner changes
  Atomic<unsigned> bits;
};

constexpr auto kRelaxed = std::memory_order_relaxed;

struct State {
  Heap heaps[2];
  Link links[2];
  Page pages[2];
  Plain<int> contents[3];          // of the blocks, by bit
  unsigned harvested[2] = {0, 0};  // by heap; the collecting thread's
};

// What FreeRemotely does with one block, after the program wrote to it.
void FreeBlock(State& s, Link& link, unsigned bit) {
  s.contents[std::countr_zero(bit)] = 1;
  Page& page = *link.page;
  Require(page.metadata == 1, "a page with a block in use is purged");
  Heap* owner = link.owner.load(kRelaxed);
  const unsigned before = page.bits.fetch_or(bit, std::memory_order_release);
  Require((before & bit) == 0, "a block was freed twice");
  DeliverRemoteLink(&link, owner);
}

void Collect(State& s, int heap) {
  CollectRemoteLinks<Link>(&s.heaps[heap], [&](Link* link) {
    Page& page = *link->page;
    Require(page.metadata == 1, "a page with an owner is purged");
    const unsigned bits = page.bits.exchange(0, std::memory_order_acquire);
    Require((s.harvested[heap] & bits) == 0, "a block came back twice");
    s.harvested[heap] |= bits;
    // Allocated again, and written to.
    for (unsigned b = bits; b != 0; b &= b - 1) {
      s.contents[std::countr_zero(b)] = 2;
    }
  });
}

// An empty page is freed, its metadata is purged, and another heap takes it.
void ChangeOwner(State& s, Link& link) {
  link.owner.store(nullptr, kRelaxed);
  Page& page = *link.page;
  page.metadata = 0;
  page.bits.store(0, kRelaxed);
  page.metadata = 1;
  link.owner.store(&s.heaps[1], std::memory_order_release);
}

class RemoteFrees : public testing::Test {
 protected:
  std::unique_ptr<State> state_;

  template <typename... Bodies>
  std::function<Threads()> Make(Bodies... bodies) {
    return [this, bodies...] {
      state_ = std::make_unique<State>();
      for (Link& link : state_->links) {
        link.owner.store(&state_->heaps[0], kRelaxed);
        link.page = &state_->pages[&link - state_->links];
        interleaver::Name(&link.page->metadata, "metadata");
        interleaver::Name(&link.page->bits, "bits");
        interleaver::Name(&link.waiting, "waiting");
        interleaver::Name(&link.owner, "owner");
        interleaver::Name(&link.next_waiting, "next_waiting");
      }
      for (Heap& heap : state_->heaps) {
        interleaver::Name(&heap.waiting_links, "waiting_links");
      }
      for (Plain<int>& block : state_->contents) {
        interleaver::Name(&block, "a block");
      }
      return Threads{std::bind(bodies, std::ref(*state_))...};
    };
  }

  // At the end collecting must find every block exactly once.
  void RequireAllHarvested(unsigned by_first, unsigned by_second) {
    Collect(*state_, 0);
    Collect(*state_, 1);
    Require(state_->harvested[0] == by_first, "lost by the first heap");
    Require(state_->harvested[1] == by_second, "lost by the second heap");
    for (Link& link : state_->links) {
      Require(!link.waiting.load(kRelaxed), "a page waits for ever");
      Require(link.page->bits.load(kRelaxed) == 0, "bits stay behind");
    }
  }
};

TEST_F(RemoteFrees, TwoThreadsFreeIntoOnePageWhileItsOwnerCollects) {
  const Result result =
      Explore(Make([](State& s) { FreeBlock(s, s.links[0], 1); },
                   [](State& s) { FreeBlock(s, s.links[0], 2); },
                   [](State& s) { Collect(s, 0); }),
              [&] { RequireAllHarvested(3, 0); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);  // of schedules that are not equivalent
}

TEST_F(RemoteFrees, OneThreadFreesTwiceWhileTheOwnerCollectsTwice) {
  const Result result = Explore(Make(
                                    [](State& s) {
                                      FreeBlock(s, s.links[0], 1);
                                      FreeBlock(s, s.links[0], 2);
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
      Explore(Make([](State& s) { FreeBlock(s, s.links[0], 1); },
                   [](State& s) { FreeBlock(s, s.links[1], 2); },
                   [](State& s) { Collect(s, 0); }),
              [&] { RequireAllHarvested(3, 0); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// Two threads free a page's last two blocks. Once its owner has both, it frees
// the page, and the page's metadata is purged. Another heap takes it and
// allocates a block, which is also freed remotely, while the first two threads
// may still be delivering.
class PageThatChangesOwner : public RemoteFrees {
 protected:
  Result Run(const Options& options) {
    changed_ = 0;
    return Explore(
        Make([](State& s) { FreeBlock(s, s.links[0], 1); },
             [](State& s) { FreeBlock(s, s.links[0], 2); },
             [this](State& s) {
               Collect(s, 0);
               if (s.harvested[0] != 3) return;
               ++changed_;
               ChangeOwner(s, s.links[0]);
               FreeBlock(s, s.links[0], 4);
             }),
        [&] {
          Collect(*state_, 0);
          Collect(*state_, 1);
          const bool was_changed =
              state_->links[0].owner.load(kRelaxed) == &state_->heaps[1];
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

// The page's new owner collects in its own thread, while the push to the old
// owner may still be under way.
TEST_F(RemoteFrees, ThePagesNewOwnerCollectsInAnotherThread) {
  const auto explore = [&](const Options& options) {
    return Explore(
        Make([](State& s) { FreeBlock(s, s.links[0], 1); },
             [](State& s) { FreeBlock(s, s.links[0], 2); },
             [](State& s) {
               Collect(s, 0);
               if (s.harvested[0] != 3) return;
               ChangeOwner(s, s.links[0]);
               FreeBlock(s, s.links[0], 4);
             },
             [](State& s) { Collect(s, 1); }),
        [&] {
          Collect(*state_, 0);
          Collect(*state_, 1);
          const bool was_changed =
              state_->links[0].owner.load(kRelaxed) == &state_->heaps[1];
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

// All schedules, including equivalent ones, on sequentially consistent memory.
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
  // follows it: that is load buffering, which the model does not show. The
  // third, the load of the current owner, would matter if new heaps were not
  // zeroed.
  EXPECT_THAT(survivors.texts,
              testing::ElementsAre("remote_frees.h exchange acq_rel -> acquire",
                                   "remote_frees.h exchange acq_rel -> release",
                                   "remote_frees.h load acquire -> relaxed"));
}

// Steps 1 and 2 swapped: delivers the link before the bit is set.
TEST_F(RemoteFrees, MustSetTheBitBeforeItDelivers) {
  EXPECT_FALSE(
      Explore(Make(
                  [](State& s) {
                    Link& link = s.links[0];
                    DeliverRemoteLink(&link, link.owner.load(kRelaxed));
                    link.page->bits.fetch_or(1, std::memory_order_release);
                  },
                  [](State& s) { Collect(s, 0); }),
              [&] { RequireAllHarvested(1, 0); })
          .passed);
}

// Steps 5 and 6 swapped: a bit set in between is neither taken nor delivered.
TEST_F(RemoteFrees, MustStopWaitingBeforeItTakesTheBits) {
  EXPECT_FALSE(Explore(Make([](State& s) { FreeBlock(s, s.links[0], 1); },
                            [](State& s) { FreeBlock(s, s.links[0], 2); },
                            [](State& s) {
                              Link* link = s.heaps[0].waiting_links.exchange(
                                  nullptr, std::memory_order_acquire);
                              if (link == nullptr) return;
                              s.harvested[0] |= link->page->bits.exchange(
                                  0, std::memory_order_acquire);
                              link->waiting.exchange(false,
                                                     std::memory_order_acq_rel);
                            }),
                       [&] { RequireAllHarvested(3, 0); })
                   .passed);
}

// The current owner is read before the page stops waiting: if the page changes
// its owner in between, the link is delivered to no one.
TEST_F(RemoteFrees, MustReadTheOwnerAfterThePageStopsWaiting) {
  EXPECT_FALSE(
      Explore(Make([](State& s) { FreeBlock(s, s.links[0], 1); },
                   [](State& s) { FreeBlock(s, s.links[0], 2); },
                   [](State& s) {
                     for (int round = 0; round < 2; ++round) {
                       Link* link = s.heaps[0].waiting_links.exchange(
                           nullptr, std::memory_order_acquire);
                       if (link == nullptr) return;
                       link->waiting.exchange(false, std::memory_order_acq_rel);
                       s.harvested[0] |= link->page->bits.exchange(
                           0, std::memory_order_acquire);
                       if (s.harvested[0] != 3) continue;
                       // Gives the page to the other heap, and drops what may
                       // still be pushed to this one.
                       link->owner.store(&s.heaps[1],
                                         std::memory_order_release);
                       FreeBlock(s, *link, 4);
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

// Two threads free a page's last two blocks with `free`. Once its owner has
// both, it gives the page up with `give_up`. Passes returns whether no run
// fails.
class PageThatIsGivenUp : public RemoteFrees {
 protected:
  template <typename Free, typename GiveUp>
  bool Passes(Free free, GiveUp give_up) {
    return Explore(Make([=](State& s) { free(s, s.links[0], 1); },
                        [=](State& s) { free(s, s.links[0], 2); },
                        [=](State& s) {
                          Collect(s, 0);
                          if (s.harvested[0] == 3) give_up(s, s.links[0]);
                        },
                        [](State& s) { FreeBlock(s, s.links[1], 4); }),
                   [&] {
                     Collect(*state_, 0);
                     Require(state_->harvested[0] == 7, "a block was lost");
                   })
        .passed;
  }
};

TEST_F(PageThatIsGivenUp, MayHaveItsMetadataPurged) {
  EXPECT_TRUE(Passes(FreeBlock, ChangeOwner));
}

// Reads the page after its bits are set, as a late lookup of the owner would.
TEST_F(PageThatIsGivenUp, MustNotBeUsedOnceTheBitsAreSet) {
  EXPECT_FALSE(Passes(
      [](State& s, Link& link, unsigned bit) {
        FreeBlock(s, link, bit);
        Require(link.page->metadata == 1, "");
      },
      ChangeOwner));
}

// The link is purged too: the links below it in the stack are lost.
TEST_F(PageThatIsGivenUp, MustKeepItsLink) {
  EXPECT_FALSE(Passes(FreeBlock, [](State& s, Link& link) {
    ChangeOwner(s, link);
    link.waiting.store(false, kRelaxed);
    link.next_waiting = nullptr;
  }));
}

}  // namespace
}  // namespace hakmem
