// Mid blocks: 2 KiB to 32 KiB, in slabs that all threads share.
//
// The same pools as the SuperSlab back-end's, for ACE's own classes and over
// chunks of its own. Thread-safe. Lock order: see shared_slab_pools.h.
#ifndef HAKMEM_ACE_MID_BLOCKS_H_
#define HAKMEM_ACE_MID_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "backend/backend.h"
#include "base/size_classes.h"

namespace hakmem {

// As Backend's functions of these names (backend.h), for mid classes.
class MidBlocks {
 public:
  static uint32_t Refill(SizeClass c, void** blocks, uint32_t count);
  static void Drain(SizeClass c, void* const* blocks, uint32_t count);
  static const Slab* SlabAt(uintptr_t address);
  static void EndEpoch(uint64_t now, bool force);
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget);
  static SlabTotals Totals();
  static void VisitSlabs(SlabVisitor visitor, void* argument);

  // Bytes in blocks handed out, without the locks.
  static size_t HeldBytes();

  static void LockForFork();
  static void UnlockAfterFork();

  // Proves that the books balance (backend/verify/heap_verifier.h). The caller
  // holds the locks, as for fork.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_MID_BLOCKS_H_
