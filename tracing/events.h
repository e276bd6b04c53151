// Allocation events for tools: a ring per thread of what it allocated and
// freed, off until asked for at run time.
//
// While off it costs the hot path nothing: recording happens where a call has
// left the hot path already, and switching it on makes every call leave it (the
// thread caches hide their bins, frontend/thread_cache.h).
#ifndef HAKMEM_TRACING_EVENTS_H_
#define HAKMEM_TRACING_EVENTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing_mode.h"

namespace hakmem {

enum class Operation : uint8_t { kAllocate, kFree, kReallocate };

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

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_H_
