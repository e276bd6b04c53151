// The segment back-end: segments of pages owned by a thread.
//
// A mimalloc-style model: each thread has a heap, each heap its own segments
// (2 MiB chunks) of pages (slabs of 64 KiB), each page its own free bits. A
// thread's blocks come from its own pages, so they lie together, and no other
// thread ever changes a page's metadata:
//
//   thread A                                thread B frees a block of A's page
//   heap A ── page ── free_bits             │
//               └──── remote_bits  ◄────────┘ one atomic OR per 64 blocks
//     └─ waiting_links (stack)     ◄── the page's link, once, until A collects
//
// A merges the remote bits of the pages on its stack when it next needs blocks.
// A page's link outlives the rest of the page's metadata, which may be purged
// once all blocks are free, even while the link is being pushed
// (remote_frees.h). Free lists sharded per page, with a separate one for other
// threads, are mimalloc's idea (MSR-TR-2019-18); batched remote frees are
// snmalloc's. New here are bits instead of lists, so that no freed block is
// touched.
//
// A heap outlives its thread: it is orphaned, and adopted as a whole by the
// next thread that starts, or serves batches to threads that run out of pages.
// A page never changes its heap while one of its blocks is in use.
//
// A thread that starts while others run gets its first blocks from the nursery,
// a heap that no thread owns: most of many threads allocate few blocks, and a
// segment per thread with a page per class would be much memory for them. While
// such a thread stays quiet it may borrow again what it returns.
// Blocks below a cache line are excluded, to avoid false sharing.
//
// Lock order: the list of heaps; one heap; slab source. A heap's lock is its
// owner's and almost never contended: others take it only to allocate from an
// orphan, to collect, for statistics and for fork.
#ifndef HAKMEM_BACKEND_SEGMENT_SEGMENT_H_
#define HAKMEM_BACKEND_SEGMENT_SEGMENT_H_

#include "backend/backend.h"

namespace hakmem {

class SegmentBackend {
 public:
  static constexpr const char* kName = "segment";
  static constexpr bool kSharesFreeBlocks = false;

  struct Heap;  // backend/segment/segment_heap.h

  static Heap* Attach();
  static void Detach(Heap* heap);
  static void StartBesideOthers(Heap* heap);
  static void SetQuiet(Heap* heap, bool is_quiet);
  static uint32_t Refill(Heap* heap, SizeClass size_class, void** blocks,
                         uint32_t count);
  static uint32_t RefillApart(Heap* heap, SizeClass size_class, void** blocks,
                              uint32_t count);
  static void Drain(Heap* heap, SizeClass size_class, void** blocks,
                    uint32_t count);
  static const Slab* SlabAt(uintptr_t address);
  static void EndEpoch(uint64_t now, bool force);
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget);
  static size_t Collect(uint64_t now, bool force);
  static size_t PurgeInside(const InnerPurge& purge);
  static SlabTotals Totals();
  static void VisitSlabs(SlabVisitor visitor, void* argument);
  static void LockForFork();
  static void UnlockAfterFork();
  [[gnu::cold]] static void NoteHolder(HeapVerifier& check, Heap* heap);
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static bool IsFreedRemotely(uintptr_t address);
};

static_assert(Backend<SegmentBackend>);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_SEGMENT_H_
