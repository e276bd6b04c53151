// EventRings: a fixed number of event rings and their owners.
//
// A thread takes a ring with its first event and keeps it. There is no
// notification when a thread ends, since its last events come after every exit
// hook: instead a thread that needs a ring asks the kernel whether another
// ring's owner is still alive. Unused rings are taken first, then those of
// ended threads in the order in which they were taken, so that an ended
// thread's events stay readable for long. The new owner continues the ring
// where the old one stopped; each event carries its thread.
//
// Some 48 MiB of address space, of which only rings in use become resident. No
// locks; all zeros is a valid initial state.
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
  // When every owner is alive, the kernel is not asked again for this long: a
  // search costs one system call per ring.
  static constexpr uint64_t kSearchEveryNs = 100'000'000;

  // A ring for `thread`, the caller's id, which has none. Null when living
  // threads own them all. `now_ns` as of CLOCK_MONOTONIC. Keeps errno.
  EventRing* Take(uint32_t thread, uint64_t now_ns);

  // In the child of a fork: clears all events and takes all rings from the
  // parent's threads, except `own` (may be null), which is now `thread`'s.
  void BeginInChild(EventRing* own, uint32_t thread);

  // The thread that owns `ring`.
  uint32_t OwnerOf(const EventRing* ring) const;

  // Calls visit(ring) for each ring that was ever taken.
  template <typename Visitor>
  void ForEach(const Visitor& visit) {
    for (size_t i = 0; i < kCount; ++i) {
      // acquire: pairs with the release in TakeFrom.
      if (owners_[i].load(std::memory_order_acquire) != 0) visit(rings_[i]);
    }
  }

 private:
  // Makes `thread` the owner of ring `i`, if its owner is still `owner`.
  bool TakeFrom(uint64_t owner, size_t i, uint32_t thread);

  // Per ring: number of owner changes << 32 | thread id; 0 for none. The count
  // distinguishes an owner from a later one with the same thread id.
  std::atomic<uint64_t> owners_[kCount];
  std::atomic<size_t> next_;            // the ring to try first
  std::atomic<uint64_t> search_at_ns_;  // no search before this time
  EventRing rings_[kCount];
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_EVENT_RINGS_H_
