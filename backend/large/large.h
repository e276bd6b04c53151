// Large blocks: a mapping of their own each, for requests above
// kMaxSpanBytes (1 MiB) and alignments that no span has.
//
// Blocks start on a chunk boundary, so the pagemap finds their books; they
// grow by mremap, in place or by moving pages instead of bytes. A block that is
// freed goes back to the OS, or is parked: kept resident for the decay time. A
// parked block serves a request of nearly its size; for any other, resident
// memory is moved together from as many parked blocks as it takes:
//
//   parked   │ 2 MiB │ 2 MiB │ 2 MiB │ rest │     │ 2 MiB │ 2 MiB │
//                └───────┴───────┴──────────────┐     └───────┴────┐
//   block                               │ 2 MiB │ 2 MiB │ 2 MiB │ … │ fresh │
//
// Moving 2 MiB costs the kernel one page table, faulting them in 512 pages.
//
// A block that grows beyond 8 MiB asks for huge pages when what it had is
// dense: it is a vector being filled, and its page faults are most of what
// growing it costs. A block that is only allocated may be touched here and
// there, and asks when all of the last ones were dense (density.h).
//
// A vector that begins to grow, from 1 to 2 MiB, gets a longer parked block
// when there is one, whose rest is its tail: what it was longer before it was
// shrunk, kept for the decay time for it to grow into.
//
// With --//hardening=full each block is a mapping of its own between pages that
// no access may touch; it grows by moving, and none is parked.
//
// Thread-safe. Lock order: beside the page heap's, before metadata's. The
// owner of a block may not resize and free it at once, as with any realloc.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_H_
#define HAKMEM_BACKEND_LARGE_LARGE_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/found.h"
#include "backend/memory/purge_budget.h"
#include "backend/spans/span.h"
#include "hardening/block_origins.h"

namespace hakmem {

class HeapVerifier;

class Large {
 public:
  // What a block is to hold.
  enum class Contents { kAny, kZero };

  // A block of at least `bytes` (not 0, at most PTRDIFF_MAX) aligned to
  // `alignment`: of parked memory, when that serves, else of fresh. What is to
  // be zeroed is parked memory that was cleared, or fresh memory, before which
  // parked memory is given back, so that a program that makes arrays of zeros
  // needs no more than they take. Unless is_zero says that the block reads as
  // zeros, the caller has to clear it. Address 0 when the OS refused: it was
  // asked once.
  static SpanAllocation Allocate(size_t bytes, size_t alignment,
                                 Contents contents);

  // The same of fresh memory only.
  static SpanAllocation AllocateFresh(size_t bytes, size_t alignment);

  // What follows takes what was found at an address (found.h): anything, so
  // that no block need start there.

  // Parks the block that starts there. Returns false, and does nothing, when
  // none does or it is too long.
  static bool Park(Found found, uint64_t now);

  // Gives parked blocks that came at least the decay time before `now` back to
  // the OS, all of them with `force`. Returns the bytes.
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr);

  // Usable bytes of the block that starts there; 0 when none does.
  static size_t BytesAt(Found found);

  // Gives the block that starts there back to the OS. Returns false, and does
  // nothing, when none does.
  static bool Free(Found found);

  // Makes the block that starts there at least `bytes` long, by moving it when
  // it cannot grow in place; a block that shrinks keeps its tail for the decay
  // time. Returns where it is now, or 0 when the OS refused, or would; then the
  // block is as it was.
  static uintptr_t Resize(Found found, size_t bytes);

  // What the block that starts there was allocated by: kUnknown when none does,
  // or that was not noted.
  static Origin OriginAt(Found found);
  // Notes it, if a block starts there. The caller holds the block.
  static void SetOrigin(Found found, Origin origin);

  // Finds the block that holds `address`, for messages; 0 when none does.
  static uintptr_t BlockAround(uintptr_t address);

  // Bytes of the block that started at `address` until it was freed, as far as
  // that is remembered, for messages; 0 when there was none. The second tells
  // whether there were blocks that are not remembered.
  static size_t BytesOfFreed(uintptr_t address);
  static bool HasForgottenFreed();

  // Bytes of all large blocks in use, and of those parked.
  static size_t BytesInUse();
  static size_t BytesParked();

  static void LockForFork();
  static void UnlockAfterFork();

  // Proves that the books balance (heap_verifier.h). The caller holds the
  // locks, as for fork, the chunk source's too.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_LARGE_H_
