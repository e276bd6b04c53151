// Failure notes: why the current request of a thread could not be served,
// recorded by the layer that refuses it.
//
// The note is the thread's hakmem_failure_t (hakmem/hakmem.h). The refusing
// layer fills in what it knows and returns null; the layers above only pass the
// null on. The front-end adds the request and records the failure (failure.h)
// when the request has finally failed, so a refusal followed by success leaves
// no record.
//
// A note costs a few stores to thread-local memory; with --//tracing=off there
// are none.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_

#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "hakmem/hakmem.h"

namespace hakmem {

namespace internal {
// Only the fields of its cause are valid.
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

// Notes that a pool with `live` + `cached` bytes may not exceed `limit`.
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
