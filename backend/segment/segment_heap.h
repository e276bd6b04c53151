// The segment back-end's heap: the pages of one thread. Private to the
// back-end.
#ifndef HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_
#define HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/segment/segment.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"

namespace hakmem {

struct SegmentSlab;

// A page's part in remote_frees.h. A thread that has set bits in a page uses
// the link and nothing else: by then the page may be empty, given back, and its
// books purged. Links never are, but may be other pages' by then. Two share a
// cache line: a batch of frees writes to one once, and many segments' lie
// together when the segments are gone.
struct alignas(32) RemoteLink {
  // `of`: whose it is from now on; with no owner yet.
  void Join(SegmentSlab* of) { page = of; }

  std::atomic<SegmentBackend::Heap*> owner;  // null while the page is free
  std::atomic<bool> waiting;
  RemoteLink* next_waiting;
  SegmentSlab* page;  // read by the owner only
};

// A page is a slab with a side that other threads may write to.
struct SegmentSlab : Slab {
  using Lasting = RemoteLink;

  // The link's owner once more, where other threads do not write: read for each
  // block that is freed. (Aligned so that a page's number times its size is
  // quick to compute: 9 times 128.)
  alignas(64) std::atomic<SegmentBackend::Heap*> owner;
  // Apart from free_bits: other threads write here. Used through atomic_ref, so
  // that zeroed memory needs no constructor.
  alignas(64) uint64_t remote_bits[kMaxSlabBlocks / 64];
};

struct SegmentBackend::Heap {
  Heap* pool_next;    // in the pool while the heap has never been used
  Heap* next_heap;    // in the list of all heaps, for good
  Heap* next_orphan;  // in the list of orphans
  bool has_holder;    // for heap checks: by which it is set and cleared
  // Bytes of blocks that the holder may still have from the nursery. The
  // holder's alone.
  uint32_t may_borrow;
  Mutex mutex;
  SlabPool<SegmentSlab> pages[kTinyClassCount] ABSL_GUARDED_BY(mutex);
  SlabSource<SegmentSlab> source;
  // Apart: other threads push here.
  alignas(64) std::atomic<RemoteLink*> waiting_links;

  using Growth = SlabSource<SegmentSlab>::Growth;

  // A batch from this heap's pages; what other threads freed is merged when
  // there is no other. New pages are begun only from segments the heap has,
  // unless growth is allowed. Returns how many blocks.
  uint32_t Refill(SizeClass size_class, void** blocks, uint32_t count,
                  Growth growth);

  // Takes back those of `blocks` that lie in this heap's pages. Moves the
  // others to the front of `blocks` and returns how many they are.
  uint32_t DrainOwn(SizeClass size_class, void** blocks, uint32_t count);

  // Merges remote frees and lets go of pages that were kept unused since it was
  // last called, of all empty ones with `force`.
  void EndEpoch(uint64_t now, bool force);

  // Takes back what other threads freed into this heap's pages.
  void MergeRemoteFrees() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Proves that the heap's own books balance (heap_verifier.h). Adds the pages
  // that wait for remote frees to be collected to `waiting`.
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check, size_t& waiting)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

 private:
  void SetOwner(SegmentSlab* page) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void AfterPut(SegmentSlab* page) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void GiveBack(SegmentSlab* page, uint64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
};

// The proof of what concerns all heaps: SegmentBackend::VerifyInvariants.
[[gnu::cold]] void CheckHeaps(SegmentBackend::Heap* all_heaps,
                              SegmentBackend::Heap* orphans,
                              HeapVerifier& check);

// Delivers `count` blocks of other heaps' pages to their owners. Changes
// `blocks`.
void FreeRemotely(void** blocks, uint32_t count);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_SEGMENT_HEAP_H_
