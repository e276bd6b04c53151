// Runs shelf.h under every interleaving (testing/interleaver): each block that
// is left is taken once, by one thread, and its addresses are read after they
// were written and before they are overwritten.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

// First the replacements for std::atomic.
#include "tests/interleaving/in_place_of_std.h"
//
#include "frontend/thread_cache/shelf.h"
#include "tests/interleaving/mutants.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Plain;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

constexpr uint32_t kBlocks = 2;
constexpr uint32_t kEpoch = 5;

// Blocks are numbers from 1 on.
void* Block(uintptr_t number) { return reinterpret_cast<void*>(number); }

template <uint32_t kSlots>
struct Exchange {
  Shelf<Plain<void*>, kSlots, kBlocks> shelf{};
  Plain<void*> addresses[kSlots][kBlocks];
  // What each block holds: written by who frees it, read by who takes it.
  Plain<int> contents[9];
  uint32_t left = 0;  // by who has put them, in threads that run in turn
  std::vector<uintptr_t> taken[3];

  // A thread puts a batch of `count` blocks from `first` on.
  bool Put(uintptr_t first, uint32_t count) {
    void* blocks[kBlocks];
    for (uint32_t i = 0; i < count; ++i) {
      blocks[i] = Block(first + i);
      contents[first + i] = 1;
    }
    return shelf.Put(addresses, blocks, count, kSlots, kEpoch);
  }

  void Keep(int thread, void* const* blocks, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      const auto number = reinterpret_cast<uintptr_t>(blocks[i]);
      contents[number] = contents[number] + 1;
      taken[thread].push_back(number);
    }
  }
  void Take(int thread, uint32_t most) {
    void* blocks[kBlocks];
    Keep(thread, blocks, shelf.Take(addresses, blocks, most));
  }
  void TakeOlder(int thread, uint32_t epoch) {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      void* blocks[kBlocks];
      Keep(thread, blocks, shelf.TakeOlder(addresses, slot, epoch, blocks));
    }
  }

  // The blocks that were taken or lie on the shelf, each once.
  std::vector<uintptr_t> All() {
    std::vector<uintptr_t> all;
    for (const auto& blocks : taken) {
      all.insert(all.end(), blocks.begin(), blocks.end());
    }
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      for (uint32_t i = 0; i < shelf.Held(slot); ++i) {
        all.push_back(reinterpret_cast<uintptr_t>(
            static_cast<void*>(addresses[slot][i])));
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }
};

// A thread puts a batch of two and another one; a second takes some, twice.
Result PutTwiceTakeTwice(const Options& options) {
  std::unique_ptr<Exchange<1>> at;
  auto put = std::make_shared<std::vector<uintptr_t>>();
  return Explore(
      [&, put] {
        at = std::make_unique<Exchange<1>>();
        put->clear();
        Exchange<1>* e = at.get();
        return Threads{[e, put] {
                         if (e->Put(1, 2)) put->assign({1, 2});
                         if (e->Put(3, 1)) put->push_back(3);
                       },
                       [e] {
                         e->Take(0, 1);
                         e->Take(0, 2);
                       }};
      },
      [&, put] {
        Require(at->All() == *put, "a block was lost, or is there twice");
      },
      options);
}

TEST(ShelfModel, EachBlockIsTakenOnce) {
  const Result result = PutTwiceTakeTwice({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 10);
}

TEST(ShelfModel, NeedsEachOrder) {
  const Survivors survivors =
      interleaver::WeakenEach("shelf.h", &PutTwiceTakeTwice);
  EXPECT_EQ(survivors.tried, 3);
  EXPECT_THAT(survivors.texts, testing::ElementsAre());
}

// Two threads take from two slots, and a third refills them.
TEST(ShelfModel, TwoTakeBesideOneThatPuts) {
  std::unique_ptr<Exchange<2>> at;
  auto put = std::make_shared<std::vector<uintptr_t>>();
  Options options;
  options.most_preemptions = 4;
  options.leaves_out_equals = false;
  const Result result = Explore(
      [&, put] {
        at = std::make_unique<Exchange<2>>();
        put->clear();
        Exchange<2>* e = at.get();
        Require(e->Put(1, 1), "no room");
        put->push_back(1);
        return Threads{[e] { e->Take(0, 2); }, [e] { e->Take(1, 2); },
                       [e, put] {
                         if (e->Put(2, 1)) put->push_back(2);
                         if (e->Put(3, 1)) put->push_back(3);
                       }};
      },
      [&, put] {
        Require(at->All() == *put, "a block was lost, or is there twice");
      },
      options);
  EXPECT_TRUE(result.passed) << result.failure;
}

// Two threads put, and a third returns what is old: nothing that is new.
TEST(ShelfModel, TwoPutBesideOneThatReturnsWhatIsOld) {
  for (const uint32_t epoch : {kEpoch, kEpoch + 1}) {
    std::unique_ptr<Exchange<1>> at;
    const Result result = Explore(
        [&] {
          at = std::make_unique<Exchange<1>>();
          Exchange<1>* e = at.get();
          return Threads{[e] {
                           if (!e->Put(1, 1))
                             e->Keep(1, std::data({Block(1)}), 1);
                         },
                         [e] {
                           if (!e->Put(2, 1))
                             e->Keep(1, std::data({Block(2)}), 1);
                         },
                         [e, epoch] { e->TakeOlder(2, epoch); }};
        },
        [&] {
          Require(at->All() == std::vector<uintptr_t>{1, 2},
                  "a block was lost, or is there twice");
          Require(at->taken[2].empty() || epoch != kEpoch,
                  "a new batch was returned");
        });
    EXPECT_TRUE(result.passed) << result.failure;
  }
}

}  // namespace
}  // namespace hakmem
