// The contract of a back-end: where the thread caches get tiny blocks from and
// give them back to, in batches.
//
// Two types model it, SuperSlabBackend and SegmentBackend. One is chosen at
// build time by linking (backend/linked: LinkedBackend); there is no virtual
// call and no preprocessor choice. All functions are static: a back-end is the
// process's, like malloc itself.
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

template <typename B>
concept Backend = requires(typename B::Heap* heap, SizeClass size_class,
                           void** blocks, uint32_t count, uint64_t now,
                           bool force, uintptr_t address, SlabVisitor visitor,
                           void* argument, HeapVerifier& check,
                           PurgeBudget* budget) {
  // "segment" or "superslab".
  { B::kName } -> std::convertible_to<const char*>;

  // What a thread holds on to between batches. Attach returns null when the OS
  // refuses memory; Detach is given each attached heap once, when its thread
  // ends or the thread cache is given up.
  { B::Attach() } -> std::same_as<typename B::Heap*>;
  { B::Detach(heap) } -> std::same_as<void>;

  // May be called for a heap just attached, by a thread that starts while
  // others run: it may have few blocks, and share memory with them for a start.
  { B::StartBesideOthers(heap) } -> std::same_as<void>;

  // Hands out up to `count` blocks of `size_class` into blocks[0..n), the
  // lowest address last; returns n, 0 only when the OS refuses memory.
  { B::Refill(heap, size_class, blocks, count) } -> std::same_as<uint32_t>;

  // Takes back `count` blocks of `size_class`, whoever they were handed to.
  // `heap` may be null, for threads that were refused one.
  // Aborts with one line when one of them is not a block in use.
  { B::Drain(heap, size_class, blocks, count) } -> std::same_as<void>;

  // The slab at `address`, which must lie in a slab of this back-end. Its
  // base, block size and count do not change while one of its blocks is in use.
  { B::SlabAt(address) } -> std::same_as<const Slab*>;

  // Housekeeping at `now` (CoarseMilliseconds). EndEpoch delivers what waits
  // and lets go of slabs that were kept unused since it was last called; Purge
  // purges free slabs that are due, within `budget` (null: no limit), and goes
  // on with the rest at its next call. Both take all with `force`. Collect does
  // the one, then the other. Purge and Collect return the bytes given back.
  { B::EndEpoch(now, force) } -> std::same_as<void>;
  { B::Purge(now, force, budget) } -> std::same_as<size_t>;
  { B::Collect(now, force) } -> std::same_as<size_t>;

  { B::Totals() } -> std::same_as<SlabTotals>;
  { B::VisitSlabs(visitor, argument) } -> std::same_as<void>;

  // Takes and releases every lock of the back-end, in the lock order.
  { B::LockForFork() } -> std::same_as<void>;
  { B::UnlockAfterFork() } -> std::same_as<void>;

  // The proof that the books balance (heap_verifier.h), with the locks held as
  // for fork: NoteHolder for each heap that somebody holds, then
  // VerifyInvariants once.
  { B::NoteHolder(check, heap) } -> std::same_as<void>;
  { B::VerifyInvariants(check) } -> std::same_as<void>;

  // For that as well: whether the block at `address`, the start of one, was
  // taken back, but waits to reach the slab's free bits.
  { B::IsFreedRemotely(address) } -> std::same_as<bool>;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_BACKEND_H_
