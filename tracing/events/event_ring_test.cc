// A ring keeps the newest events, whole and in order, also while others read
// it.
#include "tracing/events/event_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tracing/events/event_ring_test_helper.h"
#include "tracing/events/zeroed_test_helper.h"

namespace hakmem {
namespace {

using hakmem_test::EventOf;
using hakmem_test::ExpectFromTo;
using hakmem_test::IsWhole;
using hakmem_test::RecordFromTo;
using hakmem_test::Zeroed;

constexpr uint64_t kCapacity = EventRing::kCapacity;

TEST(EventRing, ZerosAreAnEmptyRing) {
  Zeroed<EventRing> ring;
  ExpectFromTo(*ring, 0, 0);
  EXPECT_EQ(ring->Recorded(), 0u);
  EXPECT_EQ(ring->Overwritten(), 0u);
}

TEST(EventRing, EventsAreReadInTheOrderInWhichTheyCame) {
  Zeroed<EventRing> ring;
  RecordFromTo(*ring, 0, 100);
  ExpectFromTo(*ring, 0, 100);
  EXPECT_EQ(ring->Recorded(), 100u);
  EXPECT_EQ(ring->Overwritten(), 0u);
}

TEST(EventRing, TheNewestOverwriteTheOldest) {
  Zeroed<EventRing> ring;
  RecordFromTo(*ring, 0, kCapacity);
  ExpectFromTo(*ring, 0, kCapacity);
  EXPECT_EQ(ring->Overwritten(), 0u);
  RecordFromTo(*ring, kCapacity, kCapacity + 1);
  ExpectFromTo(*ring, 1, kCapacity + 1);
  EXPECT_EQ(ring->Overwritten(), 1u);
  RecordFromTo(*ring, kCapacity + 1, 3 * kCapacity + 7);
  ExpectFromTo(*ring, 2 * kCapacity + 7, 3 * kCapacity + 7);
  EXPECT_EQ(ring->Recorded(), 3 * kCapacity + 7);
  EXPECT_EQ(ring->Overwritten(), 2 * kCapacity + 7);
}

TEST(EventRing, WhatIsForgottenIsNeitherReadNorCounted) {
  Zeroed<EventRing> ring;
  RecordFromTo(*ring, 0, 2 * kCapacity);
  ring->Forget();
  ExpectFromTo(*ring, 0, 0);
  EXPECT_EQ(ring->Recorded(), 0u);
  EXPECT_EQ(ring->Overwritten(), 0u);
  RecordFromTo(*ring, 2 * kCapacity, 2 * kCapacity + 5);
  ExpectFromTo(*ring, 2 * kCapacity, 2 * kCapacity + 5);
  EXPECT_EQ(ring->Recorded(), 5u);
  EXPECT_EQ(ring->Overwritten(), 0u);
}

TEST(EventRing, AVisitEndsThoughItsVisitorRecords) {
  Zeroed<EventRing> ring;
  RecordFromTo(*ring, 0, 10);
  uint64_t next = 10;
  EXPECT_EQ(ring->Visit([&](const AllocationEvent&) {
    EXPECT_TRUE(ring->Record(EventOf(next++)));
  }),
            10u);
  ExpectFromTo(*ring, 0, 20);
}

TEST(EventRing, ReadersSeeWholeEventsInOrderWhileTheyAreOverwritten) {
  constexpr int kReaders = 3;
  constexpr uint64_t kEvents = 100 * kCapacity;
  Zeroed<EventRing> ring;
  std::atomic<int> ready{0};
  std::atomic<bool> done{false};
  std::atomic<uint64_t> seen{0};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      ++ready;
      while (!done) {
        uint64_t least = 0;
        seen += ring->Visit([&](const AllocationEvent& event) {
          if (!IsWhole(event) || event.time_ns < least) ++wrong;
          least = event.time_ns + 1;
        });
      }
    });
  }
  while (ready != kReaders) std::this_thread::yield();
  RecordFromTo(*ring, 0, kEvents);
  // On a machine with one processor no reader may have run yet.
  while (seen == 0) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(ring->Recorded(), kEvents);
  ExpectFromTo(*ring, kEvents - kCapacity, kEvents);
}

}  // namespace
}  // namespace hakmem
