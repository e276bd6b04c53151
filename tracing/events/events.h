// Allocation events for tools: a ring per thread of what it allocated and
// freed, off until asked for at run time.
//
// While off it costs the hot path nothing: recording happens where a call has
// left the hot path already, and switching it on makes every call leave it (the
// thread caches hide their bins, frontend/thread_cache/thread_cache.h).
//
// Allocates nothing, takes no lock, keeps errno; all of it may happen in a
// signal handler. Memory for the rings (event_rings.h) is mapped when events
// are first switched on, and stays.
#ifndef HAKMEM_TRACING_EVENTS_EVENTS_H_
#define HAKMEM_TRACING_EVENTS_EVENTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing/events/allocation_event.h"
#include "tracing_mode.h"

namespace hakmem {
namespace internal {
extern constinit std::atomic<bool> events_on;
void RecordEventSlow(Operation operation, const void* address, size_t bytes,
                     size_t class_bytes, const void* caller);
}  // namespace internal

// Whether events are being recorded; a constant false with --//tracing=off.
inline bool EventsOn() {
  if constexpr (!kTracing) return false;
  // relaxed: a switch that orders nothing.
  return internal::events_on.load(std::memory_order_relaxed);
}

// Records one event of this thread when events are on. `bytes` as asked for
// (0 for a free), `class_bytes` of the block, `caller` the return address in
// the program.
inline void RecordEvent(Operation operation, const void* address, size_t bytes,
                        size_t class_bytes, const void* caller) {
  if (EventsOn()) [[unlikely]] {
    internal::RecordEventSlow(operation, address, bytes, class_bytes, caller);
  }
}

// Forgets all events and switches recording on; does nothing when it is on.
// Returns 0, ENOMEM when the OS refuses memory for the rings, or ENOSYS with
// --//tracing=off. Threads in their hot path are the caller's to reach.
int StartEvents();

// Switches recording off; what was recorded stays. A thread that is recording
// an event just now still does.
void StopEvents();

// Calls visit(event, argument) for every thread's events, a thread's oldest
// first. Returns how many there were. What is recorded meanwhile by threads
// whose turn has come already is left out.
size_t VisitEvents(void (*visit)(const AllocationEvent& event, void* argument),
                   void* argument);

// Since events were last started.
struct EventCounts {
  uint64_t recorded;
  uint64_t overwritten;  // of those: replaced by later ones of the ring
  uint64_t dropped;      // never recorded: the thread got no ring, or a signal
                         // handler interrupted the recording of another
};
EventCounts CountEvents();

// In the child of a fork: forgets the parent's events. Goes on recording when
// the parent did.
void BeginEventsInChild();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_EVENTS_H_
