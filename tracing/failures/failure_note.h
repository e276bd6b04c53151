// Failure notes: why the request that a thread is serving could not be served,
// written down by the part that refuses.
//
// The note is the thread's hakmem_failure_t (hakmem/hakmem.h), of which that
// part fills in what it knows, and returns null; parts above only pass the null
// on. The front-end adds the request and records the failure (failure.h) when
// the request has failed for good, so what was refused and then served after
// all leaves no record.
//
// A note is a few stores to thread-local memory; with --//tracing=off there is
// none.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_

#include <cstddef>
#include <cstdint>

#include "hakmem/hakmem.h"
#include "tracing_mode.h"

namespace hakmem {

namespace internal {
// Only the fields that belong to its cause are valid.
extern constinit thread_local hakmem_failure_t failure_note;
}  // namespace internal

// Notes that the OS refused `bytes` with `error`.
inline void NoteMapFail(hakmem_failure_os_request_t request, int error,
                        size_t bytes) {
  if constexpr (kTracing) {
    hakmem_failure_t& note = internal::failure_note;
    note.cause = HAKMEM_CAUSE_MAPFAIL;
    note.os_request = request;
    note.error = error;
    note.os_bytes = bytes;
  }
}

// Notes that a pool which holds `live` + `cached` bytes may not exceed `limit`.
inline void NoteExhaustion(uint64_t live, uint64_t cached, uint64_t limit) {
  if constexpr (kTracing) {
    hakmem_failure_t& note = internal::failure_note;
    note.cause = HAKMEM_CAUSE_EXHAUSTION;
    note.live_bytes = live;
    note.cached_bytes = cached;
    note.limit_bytes = limit;
  }
}

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_
