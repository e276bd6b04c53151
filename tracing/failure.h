// Failure records: each request that could not be served, with its cause and
// the evidence for it.
//
//   RecordFailure({.entry = EntryPoint::kMalloc, .layer = Layer::kAce, …});
//
// A record is the calling thread's note (failure_note.h), what the front-end
// knows of the request, and for MapFail the evidence found by looking
// (map_failure.h). It goes into a fixed ring, to the line printed as it happens
// (options ace_trace, ace_trace_stack) and to the callback.
//
// Takes no lock and allocates nothing, so it may happen in a signal handler, in
// a forked child, or inside a failure callback. Keeps errno.
#ifndef HAKMEM_TRACING_FAILURE_H_
#define HAKMEM_TRACING_FAILURE_H_

#include <cstddef>
#include <cstdint>

#include "tracing/failure_note.h"

namespace hakmem {

// The function that the program called.
enum class EntryPoint : uint8_t {
  kNone,  // no request: advice to the OS
  kMalloc,
  kCalloc,
  kRealloc,
  kReallocarray,
  kMemalign,
  kAlignedAlloc,
  kPosixMemalign,
  kValloc,
  kPvalloc,
  kNew,         // operator new in every form without an alignment
  kNewAligned,  // with one
};

// The part that was to serve the request.
enum class Layer : uint8_t { kFrontend, kBackend, kAce, kLarge };

struct FailedRequest {
  EntryPoint entry = EntryPoint::kNone;
  Layer layer = Layer::kFrontend;
  size_t bytes = 0;        // asked for; SIZE_MAX when count * size overflowed
  size_t alignment = 0;    // asked for; 0 when none was
  size_t class_bytes = 0;  // block size of the class; 0 when there is none
  uint64_t live = 0;       // bytes of that class in use ...
  uint64_t cached = 0;     // ... and free in slabs or caches
  int error = 0;           // errno that the program gets
};

struct FailureRecord;  // failure_record.h

namespace internal {
[[gnu::cold]] void RecordFailureSlow(const FailedRequest& request);
}  // namespace internal

// Records the failure whose note this thread has, and forgets the note. Call
// without a lock held.
//
// A failure inside a failure (in a callback, or in a signal handler that
// interrupts this) goes into the ring, but is neither diagnosed, printed nor
// told to the hook.
inline void RecordFailure(const FailedRequest& request) {
  if constexpr (kTracing) internal::RecordFailureSlow(request);
}

// Has hook(record) called on the failing thread after each record; null: no
// more. One hook a process.
void SetFailureHook(void (*hook)(const FailureRecord& record));

// The newest record; false when there is none.
bool LastFailure(FailureRecord* record);

// Calls visit(record, argument) for the records that are kept, oldest first.
// Returns how many.
size_t ForEachFailure(void (*visit)(const FailureRecord& record,
                                    void* argument),
                      void* argument);

// Failures by `cause` since the process started, and records of them that the
// ring has no more.
uint64_t FailuresOf(Cause cause);
uint64_t FailuresForgotten();

// Prints how many lines were left out since the last one, if any were.
void PrintFailuresLeftOut();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURE_H_
