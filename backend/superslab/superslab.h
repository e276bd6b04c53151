// The SuperSlab back-end: one pool of slabs per size class, shared by all
// threads (shared_slab_pools.h), in SuperSlabs: 2 MiB chunks cut into slabs.
//
// Blocks have no owner: there are no remote frees, nothing is adopted when a
// thread ends, and the number of SuperSlabs is limited only by memory.
#ifndef HAKMEM_BACKEND_SUPERSLAB_SUPERSLAB_H_
#define HAKMEM_BACKEND_SUPERSLAB_SUPERSLAB_H_

#include "backend/backend.h"

namespace hakmem {

class SuperSlabBackend {
 public:
  static constexpr const char* kName = "superslab";
  static constexpr bool kSharesFreeBlocks = true;

  struct Heap {};  // no state per thread

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

static_assert(Backend<SuperSlabBackend>);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SUPERSLAB_SUPERSLAB_H_
