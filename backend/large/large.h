// Large blocks: separate mappings for requests above kMaxSpanBytes (1 MiB) and
// for alignments that no span has.
//
// Blocks start on a chunk boundary, so the pagemap finds their metadata; they
// grow by mremap, in place or by moving pages instead of bytes. A freed block
// is unmapped, or cached: it stays resident for the decay time. Cached memory
// consists of runs of 2 MiB chunks, joined with their neighbours. The front of
// a run serves a block without a system call. Where no run is long enough, a
// block is assembled by moving resident memory from as many as it takes:
//
//   cached   │ 2 MiB │ 2 MiB │ 2 MiB │ rest │     │ 2 MiB │ 2 MiB │
//                └───────┴───────┴──────────────┐     └───────┴────┐
//   block                               │ 2 MiB │ 2 MiB │ 2 MiB │ … │ fresh │
//
// Moving 2 MiB costs the kernel one page table; faulting them in, 512 pages.
//
// A block that grows beyond 8 MiB asks for huge pages if its old part is dense:
// it is a vector being filled, and page faults are most of the cost of growing
// it. A new block may be touched sparsely, and asks only when all of the last
// ones were dense (density.h).
//
// A block of 1 to 2 MiB may be a vector that begins to grow: it gets up to 8
// MiB of a run, and the excess becomes its tail. A tail, also left when a block
// shrinks, is retained for the decay time for the block to grow into; so may it
// into the cached run that follows it.
//
// With --//hardening=full each block is one mapping between inaccessible pages;
// it grows by moving, and none is cached.
//
// Thread-safe. Lock order: same rank as the page heap's lock, before
// metadata's. The owner must not resize and free a block concurrently.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_H_
#define HAKMEM_BACKEND_LARGE_LARGE_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/pagemap_entry.h"
#include "backend/memory/purge_budget.h"
#include "backend/spans/span.h"
#include "hardening/block_origins.h"

namespace hakmem {

class HeapVerifier;

class Large {
 public:
  // The contents that a block needs.
  enum class Contents { kAny, kZero };

  // A block of at least `bytes` (not 0, at most PTRDIFF_MAX) aligned to
  // `alignment`: from cached memory if possible, else fresh. kZero is served by
  // cached memory that was cleared, or by fresh memory, before which cached
  // memory is unmapped, so that a program that makes arrays of zeros needs no
  // more memory than they take. Unless is_zero, the caller has to clear the
  // block. Address 0 when the OS refused; it was asked once.
  static SpanAllocation Allocate(size_t bytes, size_t alignment,
                                 Contents contents);

  // The same, from fresh memory only.
  static SpanAllocation AllocateFresh(size_t bytes, size_t alignment);

  // The functions below accept any entry (pagemap_entry.h), whether or
  // not a block starts there.

  // Caches the block that starts there. Returns false, and does nothing, when
  // there is none or it is too long.
  static bool Cache(PagemapEntry entry, uint64_t now);

  // Unmaps cached blocks freed at least the decay time before `now`, all of
  // them with `force`. Returns the bytes.
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr);

  // Usable bytes of the block that starts there; 0 when there is none.
  static size_t BytesAt(PagemapEntry entry);

  // Unmaps the block that starts there. Returns false, and does nothing, when
  // there is none.
  static bool Free(PagemapEntry entry);

  struct Resized {
    uintptr_t address = 0;  // 0: not possible, and the block is unchanged
    // Then, whether the OS has refused a mapping of that length, as it would
    // for a new block.
    bool is_refused = false;

    explicit operator bool() const { return address != 0; }
  };

  // Resizes the block that starts there to at least `bytes`, moving it if it
  // cannot grow in place; a block that shrinks keeps its tail for the decay
  // time.
  static Resized Resize(PagemapEntry entry, size_t bytes);

  // The origin of the block that starts there: kUnknown when there is none, or
  // it was not recorded.
  static Origin OriginAt(PagemapEntry entry);
  // Records it, if a block starts there. The caller holds the block.
  static void SetOrigin(PagemapEntry entry, Origin origin);

  // The block that contains `address`, for messages; 0 when there is none.
  static uintptr_t BlockAround(uintptr_t address);

  // For messages: bytes of the block that started at `address` until it was
  // freed, 0 when none is remembered; and whether older ones were dropped.
  static size_t BytesOfFreed(uintptr_t address);
  static bool HasForgottenFreed();

  // Bytes of all large blocks in use, and of the cached ones.
  static size_t BytesInUse();
  static size_t BytesCached();
  // The number of large blocks in use; counts them one by one.
  static size_t BlocksInUse();

  static void LockForFork();
  static void UnlockAfterFork();

  // Verifies all metadata (heap_verifier.h). The caller holds the locks, as for
  // fork, and the chunk source's.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_LARGE_H_
