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
// Programs try sizes in loops, and sandboxes kill who makes a system call they
// do not expect. So a failure that nobody watches, by a printed line or a
// callback, makes no system call: it is a few stores, and the evidence is
// looked up when the record is read for the first time.
//
// Takes no lock and allocates nothing, so it may happen in a signal handler, in
// a forked child, or inside a failure callback. Keeps errno.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_H_

#include <cstddef>
#include <cstdint>

#include "tracing/failures/failure_note.h"

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
  uint32_t thread = 0;     // as gettid(2); 0: it is asked for
  // Where in the program the call came from, a return address: what is above it
  // is left out of a printed stack. Null: unknown.
  const void* caller = nullptr;
};

struct FailureRecord;  // failure_record.h

namespace internal {
void RecordFailureSlow(const FailedRequest& request);
}  // namespace internal

// Records the failure whose note this thread has, and forgets the note. Call
// without a lock held.
//
// A failure inside a failure (in a callback, or in a signal handler that
// interrupts this) goes into the ring, but is neither printed nor told to the
// hook.
inline void RecordFailure(const FailedRequest& request) {
  if constexpr (kTracing) internal::RecordFailureSlow(request);
}

// Has hook(record) called on the failing thread after each record; null: no
// more. One hook a process.
void SetFailureHook(void (*hook)(const FailureRecord& record));

// The newest record; false when there is none. Here and below the evidence of a
// refusal that was not looked up yet is looked up now, and kept; on a signal
// stack that is nearly used up it is not (SubCause::kNotLookedUp).
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

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_H_
