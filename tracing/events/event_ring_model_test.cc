// Model-checks the event ring with a writer and a reader: every interleaving,
// on memory as weak as C11's (testing/interleaver). Every event read is one
// that was recorded, whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

// Must come first: it replaces the atomics.
#include "tests/interleaving/in_place_of_std.h"
//
#include "tests/interleaving/mutants.h"
#include "tracing/events/event_ring.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

using Ring = BasicEventRing<1>;

// An event with `n` in every word.
AllocationEvent Event(uintptr_t n) {
  return {.time_ns = n,
          .thread = static_cast<uint32_t>(n),
          .operation = Operation::kFree,
          .address = reinterpret_cast<void*>(n),
          .bytes = n,
          .class_bytes = n,
          .caller = reinterpret_cast<void*>(n)};
}

void RequireWhole(const AllocationEvent& event) {
  const uint64_t n = event.time_ns;
  Require(n != 0 && event.thread == n &&
              event.address == reinterpret_cast<void*>(n) && event.bytes == n &&
              event.class_bytes == n &&
              event.caller == reinterpret_cast<void*>(n),
          "an event is mixed from two");
}

class EventRingModel : public testing::Test {
 protected:
  // A reader while the ring's only slot is overwritten, once or twice.
  Result ReadWhileOverwritten(int events, const Options& options) {
    visited_ = 0;
    return Explore(
        [&] {
          ring_ = std::make_unique<Ring>();
          Ring* ring = ring_.get();
          ring->Record(Event(1));
          return Threads{[=] {
                           for (int i = 0; i < events; ++i) {
                             ring->Record(Event(2 + i));
                           }
                         },
                         [=, this] { visited_ += ring->Visit(RequireWhole); }};
        },
        [&] {
          Require(ring_->Recorded() == 1u + events, "not counted");
          Require(ring_->Visit(RequireWhole) == 1, "the last event is lost");
        },
        options);
  }

  std::unique_ptr<Ring> ring_;
  size_t visited_ = 0;
};

TEST_F(EventRingModel, AReaderSeesWholeEventsOnly) {
  for (const int events : {1, 2}) {
    const Result result = ReadWhileOverwritten(events, {});
    EXPECT_TRUE(result.passed) << result.failure;
    EXPECT_GE(result.runs, 20);
    EXPECT_GT(visited_, 0u);
  }
}

// Which of the six words a weaker order breaks depends on the others, so each
// must be detected.
TEST_F(EventRingModel, NeedsItsMemoryOrders) {
  const Survivors survivors = interleaver::WeakenEach(
      "event_ring.h",
      [&](const Options& options) { return ReadWhileOverwritten(1, options); });
  EXPECT_GE(survivors.tried, 12);
  EXPECT_THAT(survivors.texts, testing::ElementsAre());
}

// Events are forgotten while they are written: counts never go below zero.
TEST_F(EventRingModel, CountsAreRightWhileEventsAreForgotten) {
  const auto explore = [&](const Options& options) {
    return Explore(
        [&] {
          ring_ = std::make_unique<Ring>();
          Ring* ring = ring_.get();
          return Threads{[=] {
                           ring->Record(Event(1));
                           ring->Record(Event(2));
                         },
                         [=] { ring->Forget(); },
                         [=] { Require(ring->Recorded() <= 2, "below zero"); }};
        },
        [] {}, options);
  };
  const Result result = explore({});
  EXPECT_TRUE(result.passed) << result.failure;
}

}  // namespace
}  // namespace hakmem
