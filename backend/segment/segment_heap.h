// The segment back-end's heap: the pages of one thread. Internal to the
// back-end.
#ifndef HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_
#define HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/segment/segment.h"
#include "backend/slabs/inner_purge.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"

namespace hakmem {

struct SegmentSlab;

// The state of a page in remote_frees.h. A thread that has set bits in a page
// uses only the link from then on, because the page may be freed and its
// metadata purged meanwhile. Links are never purged, but may be reassigned to
// other pages. Two links share a cache line: a batch of frees writes a link
// only once, and the links that many freed segments leave behind are densely
// packed.
struct alignas(32) RemoteLink {
  // Assigns the link to page `of`, which has no owner yet.
  void Join(SegmentSlab* of) { page = of; }

  std::atomic<SegmentBackend::Heap*> owner;  // null while the page is free
  std::atomic<bool> waiting;
  RemoteLink* next_waiting;
  SegmentSlab* page;  // read by the owner only
};

// A page: a slab with a part that other threads write to.
struct SegmentSlab : Slab {
  using Lasting = RemoteLink;

  // A copy of the link's owner; read for each freed block. In its line lies
  // only what is rarely written.
  std::atomic<SegmentBackend::Heap*> owner;
  // Apart from free_bits: other threads write here. Accessed through
  // atomic_ref, so that zeroed memory needs no constructor.
  alignas(64) uint64_t remote_bits[kMaxSlabBlocks / 64];

  void PrefetchForFree(uint32_t block) const {
    __builtin_prefetch(&owner);
    Slab::PrefetchForFree(block);
  }
};

// So that indexing is cheap.
static_assert(kMarksFreed || sizeof(SegmentSlab) == 9 * 128);

struct SegmentBackend::Heap {
  Heap* pool_next;    // in the pool, until the heap is first used
  Heap* next_heap;    // in the list of all heaps, permanently
  Heap* next_orphan;  // in the list of orphans
  bool has_holder;    // set and cleared by heap checks
  // Bytes of blocks that the owning thread may still take from the nursery.
  // relaxed, both: hints; another thread may drain blocks in the owner's stead
  // at the same time, and one of two changes be lost.
  std::atomic<uint32_t> may_borrow;
  std::atomic<bool> is_quiet;  // what it repays it may borrow again
  Mutex mutex;
  SlabPool<SegmentSlab> pages[kTinyClassCount] ABSL_GUARDED_BY(mutex);
  IdleSlabs<SegmentSlab> idle ABSL_GUARDED_BY(mutex);
  SlabSource<SegmentSlab> source;
  // On its own cache line: other threads push here.
  alignas(64) std::atomic<RemoteLink*> waiting_links;

  // What a refill may add to the heap: nothing, pages in the segments it has,
  // or segments.
  enum class Growth { kNone, kPages, kSegments };

  // Takes a batch from this heap's pages; merges remote frees if there is none.
  // Returns how many blocks.
  uint32_t Refill(SizeClass size_class, void** blocks, uint32_t count,
                  Growth growth);

  // Frees those of `blocks` that lie in this heap's pages. Moves the others to
  // the front of `blocks` and returns their number.
  uint32_t DrainOwn(SizeClass size_class, void** blocks, uint32_t count);

  // Merges remote frees, and returns empty pages that were unused since the
  // last call, or all empty ones with `force`.
  void EndEpoch(uint64_t now, bool force);

  // See inner_purge.h.
  size_t PurgeInside(const InnerPurge& purge);

  // For InnerPurge.
  SlabPool<SegmentSlab>& PoolOf(SizeClass c)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return pages[Index(c)];
  }
  void ListAllPartial() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (const SlabPool<SegmentSlab>& pool : pages) idle.AddAll(pool);
  }

  // Frees the blocks that other threads freed into this heap's pages.
  void MergeRemoteFrees() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Checks the heap's invariants (heap_verifier.h). Adds the number of pages
  // waiting for remote frees to be collected to `waiting`.
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check, size_t& waiting)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

 private:
  void SetOwner(SegmentSlab* page) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void AfterPut(SegmentSlab* page) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void GiveBack(SegmentSlab* page, uint64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
};

// Checks what concerns all heaps, for SegmentBackend::VerifyInvariants.
[[gnu::cold]] void CheckHeaps(SegmentBackend::Heap* all_heaps,
                              SegmentBackend::Heap* orphans,
                              HeapVerifier& check);

// Delivers `count` blocks of other heaps' pages to their owners. Overwrites
// `blocks`. Aborts with one line if the page of one is gone: a double free.
void FreeRemotely(SizeClass size_class, void** blocks, uint32_t count);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_
