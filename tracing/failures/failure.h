// Failure records: one for each request that could not be served, with its
// cause and the evidence for it.
//
//   failure.entry = HAKMEM_ENTRY_MALLOC;
//   failure.layer = HAKMEM_LAYER_ACE;
//   …
//   RecordFailure(&failure);
//
// A failure is one hakmem_failure_t (hakmem/hakmem.h) all the way: the layer
// that refuses records the cause (failure_note.h), the front-end adds the
// request, and the record goes to a fixed ring, to the log (options ace_trace,
// ace_trace_format, ace_trace_stack) and to the callback.
//
// Programs try sizes in loops, and sandboxes kill processes for unexpected
// system calls. So a failure without a log or a callback makes no system call:
// it costs a few stores, and the evidence is looked up (map_failure.h) when the
// record is first read.
//
// Takes no lock and allocates nothing, so it may be used in a signal handler,
// in a forked child, or inside a failure callback. Keeps errno.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hakmem/hakmem.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {

// The ring stores records as words, and a program may store them as bytes.
static_assert(std::is_trivially_copyable_v<hakmem_failure_t>);
static_assert(std::has_unique_object_representations_v<hakmem_failure_t>);
static_assert(sizeof(hakmem_failure_t) == 15 * sizeof(uint64_t));

namespace internal {
void RecordFailureSlow(hakmem_failure_t* failure, const void* caller);
void RecordImpossibleSlow(hakmem_failure_entry_t entry, size_t size,
                          size_t alignment, int error, const void* caller);
}  // namespace internal

// Completes and records `*failure`. The caller fills in entry, layer, error,
// size, alignment, class_bytes, live_bytes and cached_bytes and leaves the rest
// 0; the cause is taken from this thread's note, which is cleared. `caller` is
// the return address of the call in the program: a logged stack omits the
// frames above it; null: unknown. Call without a lock held.
//
// A nested failure (in a callback, or in a signal handler that interrupts this)
// goes to the ring, but neither to the log nor to the hook.
inline void RecordFailure(hakmem_failure_t* failure,
                          const void* caller = nullptr) {
  if constexpr (kTracing) internal::RecordFailureSlow(failure, caller);
}

// Records a request that could never be served, as a Threshold of the
// front-end. Cheaper than RecordFailure: without a log or a hook it reads no
// clock.
inline void RecordImpossible(hakmem_failure_entry_t entry, size_t size,
                             size_t alignment, int error,
                             const void* caller = nullptr) {
  if constexpr (kTracing) {
    internal::RecordImpossibleSlow(entry, size, alignment, error, caller);
  }
}

// Sets the process's only hook, called as hook(failure) on the failing thread
// after each record; null removes it.
void SetFailureHook(void (*hook)(const hakmem_failure_t& failure));

// The newest record; false when there is none. Here and below, evidence not
// looked up yet is looked up now, and kept; not on a signal stack that is
// nearly used up (HAKMEM_SUBCAUSE_NOT_LOOKED_UP).
bool LastFailure(hakmem_failure_t* failure);

// Calls visit(failure, argument) for the records in the ring, oldest first.
// Returns how many.
size_t ForEachFailure(void (*visit)(const hakmem_failure_t* failure,
                                    void* argument),
                      void* argument);

// Failures by `cause` since the process started, and records that the ring has
// lost.
uint64_t FailuresOf(hakmem_failure_cause_t cause);
uint64_t FailuresForgotten();

// Logs how many failures were omitted since the last line, if any.
void PrintFailuresLeftOut();

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_H_
