// The contract of a back-end: the source of tiny blocks for the thread caches,
// which allocate and free them in batches.
//
// Two types model it, SuperSlabBackend and SegmentBackend. One is chosen at
// build time by linking (backend/linked: LinkedBackend); there are no virtual
// calls and no #if. All functions are static: there is one back-end per
// process.
#ifndef HAKMEM_BACKEND_BACKEND_H_
#define HAKMEM_BACKEND_BACKEND_H_

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "backend/slabs/slab.h"
#include "backend/slabs/slab_totals.h"
#include "base/size_classes.h"

namespace hakmem {

class HeapVerifier;
class PurgeBudget;
struct InnerPurge;

template <typename B>
concept Backend = requires(typename B::Heap* heap, SizeClass size_class,
                           void** blocks, uint32_t count, uint64_t now,
                           bool force, uintptr_t address, SlabVisitor visitor,
                           void* argument, HeapVerifier& check,
                           PurgeBudget* budget, const InnerPurge& inner_purge) {
  // "segment" or "superslab".
  { B::kName } -> std::convertible_to<const char*>;

  // Whether a block that is returned serves any thread at once, rather than the
  // heap that it is from.
  { B::kSharesFreeBlocks } -> std::convertible_to<bool>;

  // The per-thread state. Attach returns null when the OS refuses memory;
  // Detach is called once for each attached heap, when its thread ends or the
  // thread cache is released.
  { B::Attach() } -> std::same_as<typename B::Heap*>;
  { B::Detach(heap) } -> std::same_as<void>;

  // May be called for a heap just attached, by a thread that starts while
  // others run: it may allocate little, and can share memory with them at
  // first.
  { B::StartBesideOthers(heap) } -> std::same_as<void>;

  // Whether the thread of `heap` allocates little, beside others, for now: what
  // it returns of shared memory it may take again.
  { B::SetQuiet(heap, force) } -> std::same_as<void>;

  // Allocates up to `count` blocks of `size_class` into blocks[0..n), lowest
  // address last; returns n, 0 only when the OS refuses memory.
  { B::Refill(heap, size_class, blocks, count) } -> std::same_as<uint32_t>;

  // The same for the first blocks that a thread gets of a class below a cache
  // line, where threads share slabs: free blocks that fill whole lines, so that
  // no other thread writes to these. Returns 0 if there are none such, or if
  // Refill will do.
  { B::RefillApart(heap, size_class, blocks, count) } -> std::same_as<uint32_t>;

  // Frees `count` blocks of `size_class`, whichever thread allocated them.
  // `heap` may be null, for threads without one. Aborts with one line if one of
  // them is not a block in use.
  { B::Drain(heap, size_class, blocks, count) } -> std::same_as<void>;

  // The slab at `address`, which must lie in a slab of this back-end. Its
  // base, block size and count do not change while one of its blocks is in use.
  { B::SlabAt(address) } -> std::same_as<const Slab*>;

  // Housekeeping at `now` (CoarseMilliseconds). EndEpoch merges remote frees
  // and returns slabs that were unused since the last call. Purge purges free
  // slabs that are due, within `budget` (null: no limit), and continues at its
  // next call. With `force` both take all. PurgeInside purges free pages of
  // slabs in use. Collect does all three. They return the bytes purged.
  { B::EndEpoch(now, force) } -> std::same_as<void>;
  { B::Purge(now, force, budget) } -> std::same_as<size_t>;
  { B::PurgeInside(inner_purge) } -> std::same_as<size_t>;
  { B::Collect(now, force) } -> std::same_as<size_t>;

  { B::Totals() } -> std::same_as<SlabTotals>;
  { B::VisitSlabs(visitor, argument) } -> std::same_as<void>;

  // Acquire and release all locks of the back-end, in the lock order.
  { B::LockForFork() } -> std::same_as<void>;
  { B::UnlockAfterFork() } -> std::same_as<void>;

  // Checks the invariants (heap_verifier.h), with the locks held as for fork:
  // NoteHolder for each heap that a thread holds, then VerifyInvariants once.
  { B::NoteHolder(check, heap) } -> std::same_as<void>;
  { B::VerifyInvariants(check) } -> std::same_as<void>;

  // For checks: whether the block that starts at `address` was freed, but is
  // not in the slab's free bits yet.
  { B::IsFreedRemotely(address) } -> std::same_as<bool>;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_BACKEND_H_
