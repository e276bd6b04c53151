// An event that is being written when a signal arrives or the process forks is
// neither torn nor mixed with others.
//
// To force an interruption, a ring's second page is made inaccessible: the
// first event that reaches it raises SIGSEGV, whose handler restores the page.
// Not under ThreadSanitizer, where this would happen in its own code.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/os/os_memory.h"
#include "tracing/events/event_ring.h"
#include "tracing/events/event_ring_test_helper.h"
#include "tracing/events/zeroed_test_helper.h"

namespace hakmem {
namespace {

using hakmem_test::EventOf;
using hakmem_test::ExpectFromTo;
using hakmem_test::RecordFromTo;
using hakmem_test::Zeroed;

constexpr uint64_t kCapacity = EventRing::kCapacity;

class InterruptedEventTest : public testing::Test {
 protected:
  // Fills the ring with events from `from` on; `meanwhile(ring)` runs in the
  // middle of one.
  void FillInterruptedBy(uint64_t from, void (*meanwhile)(EventRing& ring)) {
    test = this;
    meanwhile_ = meanwhile;
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_handler = [](int) { test->Interrupt(); };
    ASSERT_EQ(sigaction(SIGSEGV, &action, &before), 0);
    ASSERT_EQ(mprotect(SecondPage(), os::PageBytes(), PROT_NONE), 0);
    RecordFromTo(*ring_, from, from + kCapacity);
    ASSERT_EQ(sigaction(SIGSEGV, &before, nullptr), 0);
    ASSERT_EQ(interruptions_, 1);
  }

  Zeroed<EventRing> ring_;

 private:
  void* SecondPage() const {
    return reinterpret_cast<char*>(ring_.get()) + os::PageBytes();
  }

  void Interrupt() {
    mprotect(SecondPage(), os::PageBytes(), PROT_READ | PROT_WRITE);
    interruptions_ = interruptions_ + 1;
    meanwhile_(*ring_);
  }

  static InterruptedEventTest* test;

  void (*meanwhile_)(EventRing& ring);
  volatile int interruptions_ = 0;
};

InterruptedEventTest* InterruptedEventTest::test;

volatile bool recorded_in_handler;

TEST_F(InterruptedEventTest, TheHandlersEventIsNotRecorded) {
  FillInterruptedBy(0, [](EventRing& ring) {
    recorded_in_handler = ring.Record(EventOf(1'000'000));
  });
  EXPECT_FALSE(recorded_in_handler);
  ExpectFromTo(*ring_, 0, kCapacity);
  EXPECT_EQ(ring_->Recorded(), kCapacity);
  // Later events are recorded.
  RecordFromTo(*ring_, kCapacity, kCapacity + 5);
  ExpectFromTo(*ring_, 5, kCapacity + 5);
}

volatile size_t whole_in_handler;
volatile size_t visited_in_handler;

TEST_F(InterruptedEventTest, NobodyReadsTheOneThatIsBeingOverwritten) {
  RecordFromTo(*ring_, 0, kCapacity);
  FillInterruptedBy(kCapacity, [](EventRing& ring) {
    size_t whole = 0;
    visited_in_handler = ring.Visit([&](const AllocationEvent& event) {
      whole += hakmem_test::IsWhole(event) ? 1 : 0;
    });
    whole_in_handler = whole;
  });
  EXPECT_EQ(visited_in_handler, kCapacity - 1);
  EXPECT_EQ(whole_in_handler, kCapacity - 1);
  ExpectFromTo(*ring_, kCapacity, 2 * kCapacity);
}

alignas(EventRing) char copy[sizeof(EventRing)];

TEST_F(InterruptedEventTest, AForkedChildCanAbandonIt) {
  // The child has the ring in the middle of another thread's event.
  FillInterruptedBy(0,
                    [](EventRing& ring) { memcpy(copy, &ring, sizeof(copy)); });
  auto& child = *reinterpret_cast<EventRing*>(copy);
  const uint64_t whole = child.Recorded();
  ASSERT_GT(whole, 0u);
  ASSERT_LT(whole, kCapacity);
  ExpectFromTo(child, 0, whole);
  ASSERT_FALSE(child.Record(EventOf(whole)));
  child.AbandonUnfinished();
  RecordFromTo(child, whole, whole + 10);
  ExpectFromTo(child, 0, whole + 10);
}

}  // namespace
}  // namespace hakmem
