// Runs the retry gate under every interleaving (testing/interleaver): it is
// never closed while there is memory a sweep would find, and it does close when
// there is none.

#include <gtest/gtest.h>

#include <memory>

// First the replacements for std::atomic.
#include "tests/interleaving/in_place_of_std.h"
//
#include "frontend/thread_cache/retry_gate.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

constexpr uint64_t kNow = 50;
constexpr uint64_t kUntil = 100;

// Free memory that one thread leaves for others, behind a gate.
struct Heap {
  RetryGate gate;
  std::atomic<uint64_t> free{0};

  void Free() {
    free.fetch_add(1, std::memory_order_seq_cst);
    gate.Open();
  }

  void Gather() {
    const uint64_t number = gate.Begin();
    const uint64_t found = free.load(std::memory_order_seq_cst);
    if (found != 0) free.fetch_sub(found, std::memory_order_seq_cst);
    if (found == 0) gate.Close(number, kUntil);
  }
};

class RetryGateModel : public testing::Test {
 protected:
  void RequireOpenForWhatIsFree() {
    const bool closed = heap_->gate.IsClosed(kNow);
    Require(!closed || heap_->free.load(std::memory_order_relaxed) == 0,
            "closed, though there is free memory");
    if (closed) ++closed_;
  }

  std::unique_ptr<Heap> heap_;
  int closed_ = 0;  // runs that end with it closed
};

TEST_F(RetryGateModel, AFreeBesideAGatheringIsFoundOrOpensIt) {
  const Result result = Explore(
      [this] {
        heap_ = std::make_unique<Heap>();
        Heap* heap = heap_.get();
        return Threads{[=] { heap->Gather(); }, [=] { heap->Free(); }};
      },
      [this] { RequireOpenForWhatIsFree(); });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 10);
}

TEST_F(RetryGateModel, OneThatIsClosedIsOpenedByAFree) {
  const Result result = Explore(
      [this] {
        heap_ = std::make_unique<Heap>();
        Heap* heap = heap_.get();
        heap->Gather();
        Require(heap->gate.IsClosed(kNow), "open, though there is nothing");
        Require(!heap->gate.IsClosed(kUntil), "closed for ever");
        return Threads{[=] { heap->Free(); }, [=] { heap->Free(); }};
      },
      [this] { Require(!heap_->gate.IsClosed(kNow), "closed after a free"); });
  EXPECT_TRUE(result.passed) << result.failure;
}

TEST_F(RetryGateModel, TwoMayGatherAtOnce) {
  Options options;
  options.most_preemptions = 3;
  const Result result = Explore(
      [this] {
        heap_ = std::make_unique<Heap>();
        Heap* heap = heap_.get();
        return Threads{[=] { heap->Gather(); }, [=] { heap->Gather(); },
                       [=] { heap->Free(); }};
      },
      [this] { RequireOpenForWhatIsFree(); }, options);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GT(closed_, 0);
}

// A system that has memory while some is in nobody's hands: a request takes it.
// Sweeps take turns (backend/memory/purge_turn.h), and give back what is free.
struct System {
  RetryGate gate;
  interleaver::Lock turn;
  std::atomic<uint64_t> free{1};
  std::atomic<uint64_t> room{0};

  bool Ask() { return room.exchange(0, std::memory_order_seq_cst) != 0; }

  bool SweepAndAsk() {
    turn.Take();
    const uint64_t number = gate.Begin();
    const uint64_t found = free.exchange(0, std::memory_order_seq_cst);
    if (found != 0) room.store(found, std::memory_order_seq_cst);
    if (found == 0) gate.Close(number, kUntil);
    turn.Release();
    return found != 0;
  }

  // A request that is always refused itself.
  void RequestTooMuch() {
    if (!gate.IsClosed(kNow)) SweepAndAsk();
  }

  // As AfterRefusal of frontend/dispatch.
  bool Request() {
    const uint64_t before = gate.State();
    if (Ask()) return true;
    if (!gate.IsClosed(kNow)) {
      SweepAndAsk();
      return Ask();
    }
    return gate.State() != before && Ask();
  }
};

TEST_F(RetryGateModel, WhatOthersGiveBackMeanwhileIsFound) {
  std::unique_ptr<System> system;
  bool served = false;
  Options options;
  options.most_preemptions = 4;
  const Result result = Explore(
      [&] {
        system = std::make_unique<System>();
        System* s = system.get();
        served = false;
        return Threads{[=] { s->RequestTooMuch(); },
                       [=] { s->RequestTooMuch(); },
                       [=, &served] { served = s->Request(); }};
      },
      [&] { Require(served, "refused, though memory was free before"); },
      options);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

}  // namespace
}  // namespace hakmem
