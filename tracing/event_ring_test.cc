// event_ring_test.cc: a ring keeps the newest events, whole and in order, also
// while it is read by others and when a signal handler comes in between.
#include "tracing/event_ring.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "base/os_memory.h"
#include "tracing/zeroed_test_helper.h"

namespace hakmem {
namespace {

using hakmem_test::Zeroed;

constexpr uint64_t kCapacity = EventRing::kCapacity;

// An event all of whose fields follow from `n`.
AllocationEvent EventOf(uint64_t n) {
  return {.time_ns = n,
          .thread = static_cast<uint32_t>(n * 3),
          .operation = static_cast<Operation>(n % 3),
          .address = reinterpret_cast<const void*>(n * 5),
          .bytes = n * 7,
          .class_bytes = n * 11,
          .caller = reinterpret_cast<const void*>(n * 13)};
}

bool IsWhole(const AllocationEvent& event) {
  const AllocationEvent whole = EventOf(event.time_ns);
  return event.thread == whole.thread && event.operation == whole.operation &&
         event.address == whole.address && event.bytes == whole.bytes &&
         event.class_bytes == whole.class_bytes && event.caller == whole.caller;
}

void RecordFromTo(EventRing& ring, uint64_t from, uint64_t to) {
  for (uint64_t n = from; n < to; ++n) ASSERT_TRUE(ring.Record(EventOf(n)));
}

// Expects the events `from` to `to`, whole and in order.
void ExpectFromTo(const EventRing& ring, uint64_t from, uint64_t to) {
  uint64_t next = from;
  const size_t visited = ring.Visit([&](const AllocationEvent& event) {
    EXPECT_EQ(event.time_ns, next++);
    EXPECT_TRUE(IsWhole(event)) << event.time_ns;
  });
  EXPECT_EQ(visited, to - from);
  EXPECT_EQ(next, to);
}

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
  // A machine with one processor may have run no reader yet.
  while (seen == 0) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(ring->Recorded(), kEvents);
  ExpectFromTo(*ring, kEvents - kCapacity, kEvents);
}

// --- Recording inside a recording ------------------------------------------

// A ring's second page is taken away, so that writing a slot there is
// interrupted for sure.
EventRing* interrupted_ring;
uintptr_t second_page;
std::atomic<int> interruptions;
std::atomic<int> recorded_inside;

void RecordInside(int) {
  mprotect(reinterpret_cast<void*>(second_page), os::PageBytes(),
           PROT_READ | PROT_WRITE);
  ++interruptions;
  if (interrupted_ring->Record(EventOf(1'000'000))) ++recorded_inside;
}

TEST(EventRing, AHandlerThatInterruptsARecordingRecordsNothing) {
  Zeroed<EventRing> ring;
  interrupted_ring = ring.get();
  second_page = reinterpret_cast<uintptr_t>(ring.get()) + os::PageBytes();
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = RecordInside;
  ASSERT_EQ(sigaction(SIGSEGV, &action, &before), 0);
  ASSERT_EQ(mprotect(reinterpret_cast<void*>(second_page), os::PageBytes(),
                     PROT_NONE),
            0);
  // The first event that reaches into the second page is interrupted.
  RecordFromTo(*ring, 0, kCapacity);
  ASSERT_EQ(sigaction(SIGSEGV, &before, nullptr), 0);
  EXPECT_EQ(interruptions, 1);
  EXPECT_EQ(recorded_inside, 0);
  ExpectFromTo(*ring, 0, kCapacity);
  EXPECT_EQ(ring->Recorded(), kCapacity);
}

TEST(EventRing, AnUnfinishedEventCanBeAbandoned) {
  // As fork leaves it: copied in the middle of a recording, by another thread
  // than the one that is interrupted.
  Zeroed<EventRing> ring;
  static EventRing copy;
  interrupted_ring = ring.get();
  second_page = reinterpret_cast<uintptr_t>(ring.get()) + os::PageBytes();
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = [](int) {
    mprotect(reinterpret_cast<void*>(second_page), os::PageBytes(),
             PROT_READ | PROT_WRITE);
    memcpy(static_cast<void*>(&copy), interrupted_ring, sizeof(copy));
  };
  ASSERT_EQ(sigaction(SIGSEGV, &action, &before), 0);
  ASSERT_EQ(mprotect(reinterpret_cast<void*>(second_page), os::PageBytes(),
                     PROT_NONE),
            0);
  RecordFromTo(*ring, 0, kCapacity);
  ASSERT_EQ(sigaction(SIGSEGV, &before, nullptr), 0);

  const uint64_t whole = copy.Recorded();
  ASSERT_GT(whole, 0u);
  ASSERT_LT(whole, kCapacity);
  ExpectFromTo(copy, 0, whole);
  ASSERT_FALSE(copy.Record(EventOf(whole)));
  copy.AbandonUnfinished();
  RecordFromTo(copy, whole, whole + 10);
  ExpectFromTo(copy, 0, whole + 10);
}

}  // namespace
}  // namespace hakmem
