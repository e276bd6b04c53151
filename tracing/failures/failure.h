// Failure records: each request that could not be served, with its cause and
// the evidence for it.
//
//   failure.entry = HAKMEM_ENTRY_MALLOC;
//   failure.layer = HAKMEM_LAYER_ACE;
//   …
//   RecordFailure(&failure);
//
// A failure has one shape from the place that refuses to the program and the
// log: hakmem_failure_t (hakmem/hakmem.h). That place notes the cause
// (failure_note.h), the front-end adds the request, and the record goes into a
// fixed ring, to the log (options ace_trace, ace_trace_format, ace_trace_stack)
// and to the callback.
//
// Programs try sizes in loops, and sandboxes kill who makes a system call they
// do not expect. So a failure that nobody watches, by a log or a callback,
// makes no system call: it is a few stores, and the evidence is looked up
// (map_failure.h) when the record is read for the first time.
//
// Takes no lock and allocates nothing, so it may happen in a signal handler, in
// a forked child, or inside a failure callback. Keeps errno.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hakmem/hakmem.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {

// The ring keeps records as words, and a program may keep them as bytes.
static_assert(std::is_trivially_copyable_v<hakmem_failure_t>);
static_assert(std::has_unique_object_representations_v<hakmem_failure_t>);
static_assert(sizeof(hakmem_failure_t) == 15 * sizeof(uint64_t));

namespace internal {
void RecordFailureSlow(hakmem_failure_t* failure, const void* caller);
void RecordImpossibleSlow(hakmem_failure_entry_t entry, size_t size,
                          size_t alignment, int error, const void* caller);
}  // namespace internal

// Completes and records `*failure`, in which the caller fills in entry, layer,
// error, size, alignment, class_bytes, live_bytes and cached_bytes and leaves
// the rest 0; the cause is taken from this thread's note, which is forgotten.
// `caller` is the return
// address of the call in the program: frames above it are left out of a logged
// stack; null: unknown. Call without a lock held.
//
// A failure inside a failure (in a callback, or in a signal handler that
// interrupts this) goes into the ring, but neither to the log nor to the hook.
inline void RecordFailure(hakmem_failure_t* failure,
                          const void* caller = nullptr) {
  if constexpr (kTracing) internal::RecordFailureSlow(failure, caller);
}

// Records a request that nothing could ever serve, as a Threshold of the
// front-end. Cheaper than the above: while nobody watches it reads no clock.
inline void RecordImpossible(hakmem_failure_entry_t entry, size_t size,
                             size_t alignment, int error,
                             const void* caller = nullptr) {
  if constexpr (kTracing) {
    internal::RecordImpossibleSlow(entry, size, alignment, error, caller);
  }
}

// Has hook(failure) called on the failing thread after each record; null: no
// more. One hook a process.
void SetFailureHook(void (*hook)(const hakmem_failure_t& failure));

// The newest record; false when there is none. Here and below the evidence of a
// refusal that was not looked up yet is looked up now, and kept; on a signal
// stack that is nearly used up it is not (HAKMEM_SUBCAUSE_NOT_LOOKED_UP).
bool LastFailure(hakmem_failure_t* failure);

// Calls visit(failure, argument) for the records that are kept, oldest first.
// Returns how many.
size_t ForEachFailure(void (*visit)(const hakmem_failure_t* failure,
                                    void* argument),
                      void* argument);

// Failures by `cause` since the process started, and records of them that the
// ring has no more.
uint64_t FailuresOf(hakmem_failure_cause_t cause);
uint64_t FailuresForgotten();

// Logs how many failures were left out since the last line, if any were.
void PrintFailuresLeftOut();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_H_
