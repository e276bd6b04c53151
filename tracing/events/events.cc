#include "tracing/events/events.h"

#include <cerrno>

#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/os/thread_id.h"
#include "tracing/events/event_ring.h"
#include "tracing/events/event_rings.h"

namespace hakmem {

constinit std::atomic<bool> internal::events_on{false};

namespace {

constinit std::atomic<EventRings*> all_rings{nullptr};
constinit std::atomic<uint64_t> dropped{0};
constinit thread_local EventRing* own_ring = nullptr;

// acquire: pairs with the release in MapRings.
EventRings* AllRings() { return all_rings.load(std::memory_order_acquire); }

// Null if the OS refuses memory.
EventRings* MapRings() {
  const os::Mapping mapping =
      os::Map(sizeof(EventRings), os::PageBytes(), os::Access::kReadWrite);
  if (!mapping) return nullptr;
  // No huge pages: using one ring must not make the unused ones beside it
  // resident. If the kernel refuses the advice, it makes none.
  (void)os::AdviseNoHugePages(mapping.address, sizeof(EventRings));
  auto* rings = reinterpret_cast<EventRings*>(mapping.address);
  EventRings* others = nullptr;
  // release: pairs with the acquire in AllRings; acquire: pairs with another
  // thread's release that came first.
  if (all_rings.compare_exchange_strong(others, rings,
                                        std::memory_order_acq_rel)) {
    return rings;
  }
  (void)os::Unmap(mapping.address, sizeof(EventRings));
  return others;
}

// Null if no ring is available.
EventRing* OwnRing(EventRings* rings, uint64_t now_ns) {
  if (own_ring == nullptr) own_ring = rings->Take(ThreadId(), now_ns);
  return own_ring;
}

}  // namespace

void internal::RecordEventSlow(Operation operation, const void* address,
                               size_t bytes, size_t class_bytes,
                               const void* caller) {
  EventRings* rings = AllRings();
  const uint64_t now_ns = Nanoseconds();
  // events_on may be visible before the rings.
  EventRing* ring = rings == nullptr ? nullptr : OwnRing(rings, now_ns);
  if (ring == nullptr || !ring->Record({now_ns, rings->OwnerOf(ring), operation,
                                        address, bytes, class_bytes, caller})) {
    dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

int StartEvents() {
  if constexpr (!kTracing) return ENOSYS;
  if (EventsOn()) return 0;
  EventRings* rings = AllRings();
  if (rings == nullptr) rings = MapRings();
  if (rings == nullptr) return ENOMEM;
  rings->ForEach([](EventRing& ring) { ring.Forget(); });
  dropped.store(0, std::memory_order_relaxed);
  internal::events_on.store(true, std::memory_order_relaxed);
  return 0;
}

void StopEvents() {
  internal::events_on.store(false, std::memory_order_relaxed);
}

size_t VisitEvents(void (*visit)(const AllocationEvent& event, void* argument),
                   void* argument) {
  EventRings* rings = AllRings();
  if (rings == nullptr) return 0;
  size_t visited = 0;
  rings->ForEach([&](const EventRing& ring) {
    visited += ring.Visit(
        [&](const AllocationEvent& event) { visit(event, argument); });
  });
  return visited;
}

EventCounts CountEvents() {
  EventCounts counts = {0, 0, dropped.load(std::memory_order_relaxed)};
  EventRings* rings = AllRings();
  if (rings == nullptr) return counts;
  rings->ForEach([&](const EventRing& ring) {
    counts.recorded += ring.Recorded();
    counts.overwritten += ring.Overwritten();
  });
  return counts;
}

void BeginEventsInChild() {
  EventRings* rings = AllRings();
  if (rings == nullptr) return;
  rings->BeginInChild(own_ring, ThreadId());
  dropped.store(0, std::memory_order_relaxed);
}

}  // namespace hakmem
