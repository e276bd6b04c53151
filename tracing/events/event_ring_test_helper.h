// Events by number, for tests of the ring: a reader can verify that an event is
// whole.
#ifndef HAKMEM_TRACING_EVENTS_EVENT_RING_TEST_HELPER_H_
#define HAKMEM_TRACING_EVENTS_EVENT_RING_TEST_HELPER_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "tracing/events/event_ring.h"

namespace hakmem_test {

// An event all of whose fields are derived from `n`.
inline hakmem::AllocationEvent EventOf(uint64_t n) {
  return {.time_ns = n,
          .thread = static_cast<uint32_t>(n * 3),
          .operation = static_cast<hakmem::Operation>(n % 3),
          .address = reinterpret_cast<const void*>(n * 5),
          .bytes = n * 7,
          .class_bytes = n * 11,
          .caller = reinterpret_cast<const void*>(n * 13)};
}

inline bool IsWhole(const hakmem::AllocationEvent& event) {
  const hakmem::AllocationEvent whole = EventOf(event.time_ns);
  return event.thread == whole.thread && event.operation == whole.operation &&
         event.address == whole.address && event.bytes == whole.bytes &&
         event.class_bytes == whole.class_bytes && event.caller == whole.caller;
}

inline void RecordFromTo(hakmem::EventRing& ring, uint64_t from, uint64_t to) {
  for (uint64_t n = from; n < to; ++n) ASSERT_TRUE(ring.Record(EventOf(n)));
}

// Expects the events `from` to `to`, whole and in order.
inline void ExpectFromTo(const hakmem::EventRing& ring, uint64_t from,
                         uint64_t to) {
  uint64_t next = from;
  const size_t visited = ring.Visit([&](const hakmem::AllocationEvent& event) {
    EXPECT_EQ(event.time_ns, next++);
    EXPECT_TRUE(IsWhole(event)) << event.time_ns;
  });
  EXPECT_EQ(visited, to - from);
  EXPECT_EQ(next, to);
}

}  // namespace hakmem_test

#endif  // HAKMEM_TRACING_EVENTS_EVENT_RING_TEST_HELPER_H_
