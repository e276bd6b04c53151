// Allocation events for tools: one ring per thread records what it allocates
// and frees. Off until switched on at run time.
//
// While off it costs the hot path nothing: recording happens only where a call
// has left the hot path already, and switching it on makes every call leave it
// (the thread caches disable their fast path,
// frontend/thread_cache/thread_cache.h).
//
// Allocates nothing, takes no lock, keeps errno; all of it may run in a signal
// handler. Memory for the rings (event_rings.h) is mapped when events are first
// switched on, and stays mapped.
#ifndef HAKMEM_TRACING_EVENTS_EVENTS_H_
#define HAKMEM_TRACING_EVENTS_EVENTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "tracing/events/allocation_event.h"

namespace hakmem {
namespace internal {
extern constinit std::atomic<bool> events_on;
void RecordEventSlow(Operation operation, const void* address, size_t bytes,
                     size_t class_bytes, const void* caller);
}  // namespace internal

// Whether events are being recorded; constant false with --//tracing=off.
inline bool EventsOn() {
  if constexpr (!kTracing) return false;
  // relaxed: the switch orders nothing.
  return internal::events_on.load(std::memory_order_relaxed);
}

// Records one event of this thread if events are on. `bytes`: as requested (0
// for a free); `class_bytes`: the block's; `caller`: the return address in the
// program.
inline void RecordEvent(Operation operation, const void* address, size_t bytes,
                        size_t class_bytes, const void* caller) {
  if (EventsOn()) [[unlikely]] {
    internal::RecordEventSlow(operation, address, bytes, class_bytes, caller);
  }
}

// Clears all events and switches recording on; no effect if it is on. Returns
// 0, ENOMEM when the OS refuses memory for the rings, or ENOSYS with
// --//tracing=off. The caller must make threads leave their fast path.
int StartEvents();

// Switches recording off; recorded events stay. A thread that is just recording
// an event still completes it.
void StopEvents();

// Calls visit(event, argument) for every thread's events, each thread's oldest
// first. Returns the number of events. Events recorded meanwhile by threads
// already visited are left out.
size_t VisitEvents(void (*visit)(const AllocationEvent& event, void* argument),
                   void* argument);

// Counts since events were last started.
struct EventCounts {
  uint64_t recorded;
  uint64_t overwritten;  // of those: replaced by later ones
  uint64_t dropped;      // not recorded: the thread got no ring, or a signal
                         // handler interrupted another recording
};
EventCounts CountEvents();

// In the child of a fork: clears the parent's events. Recording continues if it
// was on in the parent.
void BeginEventsInChild();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_EVENTS_H_
