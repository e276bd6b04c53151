// EventRings: a fixed number of event rings and the threads that have them.
//
// A thread takes a ring with its first event and keeps it. Nobody tells when a
// thread has ended, since its last events come after everything that could: a
// thread that needs a ring asks the kernel whether the owner of one still
// lives. Rings that nobody had are taken first, then those of ended threads in
// the order in which they were taken, so that what an ended thread did stays
// readable for long. The new owner writes on where the old one stopped; events
// carry their thread.
//
// Some 48 MiB of address space, of which only rings in use become memory. No
// locks; all zeros is a valid beginning.
#ifndef HAKMEM_TRACING_EVENTS_EVENT_RINGS_H_
#define HAKMEM_TRACING_EVENTS_EVENT_RINGS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing/events/event_ring.h"

namespace hakmem {

class EventRings {
 public:
  static constexpr size_t kCount = 256;
  // When every owner lives, the next question to the kernel is this far off:
  // asking costs a system call a ring.
  static constexpr uint64_t kSearchEveryNs = 100'000'000;

  // A ring for `thread`, the caller's id, which has none. Null when living
  // threads have them all. `now_ns` as of CLOCK_MONOTONIC. Keeps errno.
  EventRing* Take(uint32_t thread, uint64_t now_ns);

  // In the child of a fork: forgets all events and takes all rings from the
  // parent's threads, except `own` (may be null), which is now `thread`'s.
  void BeginInChild(EventRing* own, uint32_t thread);

  // The thread whose ring is `ring`.
  uint32_t OwnerOf(const EventRing* ring) const;

  // Calls visit(ring) for the rings that were ever taken.
  template <typename Visitor>
  void ForEach(const Visitor& visit) {
    for (size_t i = 0; i < kCount; ++i) {
      // acquire: pairs with the release in TakeFrom.
      if (owners_[i].load(std::memory_order_acquire) != 0) visit(rings_[i]);
    }
  }

 private:
  // Makes `thread` the owner of ring `i` unless its owner is not `owner` any
  // more.
  bool TakeFrom(uint64_t owner, size_t i, uint32_t thread);

  // Of each ring: how often it changed hands << 32 | thread id, 0 for none.
  // The count tells an owner from a later one that got the same thread id.
  std::atomic<uint64_t> owners_[kCount];
  std::atomic<size_t> next_;            // the ring to try first
  std::atomic<uint64_t> search_at_ns_;  // not before, when none was free
  EventRing rings_[kCount];
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_EVENT_RINGS_H_
