// Checks the invariants of one slab (heap_verifier.h).
#ifndef HAKMEM_BACKEND_SLABS_SLAB_CHECK_H_
#define HAKMEM_BACKEND_SLABS_SLAB_CHECK_H_

#include "backend/slabs/slab.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

// The slab has a class. The caller holds its owner's lock.
[[gnu::cold]] void CheckSlab(const Slab& slab, HeapVerifier& check);

// Counts of a class's slabs and of their blocks in use.
struct SlabTally {
  uint64_t partial = 0;
  uint64_t empty = 0;
  uint64_t used_blocks = 0;
  uint64_t idle_queued = 0;

  void Add(const Slab& slab) {
    empty += slab.IsEmpty();
    partial += !slab.IsEmpty() && !slab.IsFull();
    idle_queued += slab.idle_queue != 0;
    used_blocks += static_cast<uint64_t>(slab.block_count) - slab.free_count;
  }
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_CHECK_H_
