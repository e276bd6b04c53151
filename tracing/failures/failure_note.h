// Failure notes: why the request that a thread is serving could not be served,
// written down where it happens.
//
// A part that has to refuse notes the reason and returns null; parts above only
// pass the null on. Whoever answers the program (frontend/) makes a failure
// record (failure.h) of the last note when the request has failed for good, so
// what was refused and then served after all leaves no record.
//
// A note is a few stores to thread-local memory; with --//tracing=off there is
// none.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_

#include <cstddef>
#include <cstdint>

#include "tracing_mode.h"

namespace hakmem {

enum class Cause : uint8_t {
  kNone,
  kThreshold,   // nothing serves such a size or alignment
  kExhaustion,  // the pool that serves it is at its configured limit
  kMapFail,     // the operating system refused
};

// What the operating system was asked for.
enum class OsRequest : uint8_t {
  kNone,
  kReserve,    // address space for chunks
  kCommit,     // to make a reserved chunk usable
  kBooks,      // memory for the allocator's own books
  kMapLarge,   // a mapping for a large block
  kGrowLarge,  // a large block grown or moved
  kHugePages,  // advice to use huge pages; nothing fails without them
};

struct FailureNote {
  Cause cause;
  OsRequest request;
  int error;          // errno of the refusal
  uint64_t os_bytes;  // asked of the operating system
  // Exhaustion: bytes the pool holds in use and cached, and its limit.
  uint64_t live;
  uint64_t cached;
  uint64_t limit;
};

namespace internal {
extern constinit thread_local FailureNote failure_note;
}  // namespace internal

// Notes that the OS refused `bytes` with `error`.
inline void NoteMapFail(OsRequest request, int error, size_t bytes) {
  if constexpr (kTracing) {
    internal::failure_note = {Cause::kMapFail, request, error, bytes, 0, 0, 0};
  }
}

// Notes that a pool which holds `live` + `cached` bytes may not exceed `limit`.
inline void NoteExhaustion(uint64_t live, uint64_t cached, uint64_t limit) {
  if constexpr (kTracing) {
    internal::failure_note = {
        Cause::kExhaustion, OsRequest::kNone, 0, 0, live, cached, limit};
  }
}

// Notes that nothing serves such a size or alignment.
inline void NoteThreshold() {
  if constexpr (kTracing) {
    internal::failure_note = {
        Cause::kThreshold, OsRequest::kNone, 0, 0, 0, 0, 0};
  }
}

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_NOTE_H_
