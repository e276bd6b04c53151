// Checks shared slab pools (heap_verifier.h): the slab source, each class's
// pool, and the count of its blocks in use.
#ifndef HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_CHECK_H_
#define HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_CHECK_H_

#include "backend/slabs/inner_purge_check.h"
#include "backend/slabs/shared_slab_pools.h"
#include "backend/slabs/slab_check.h"
#include "backend/slabs/slab_pool_check.h"
#include "backend/slabs/slab_source_check.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

template <typename SlabT, size_t kFirst, size_t kEnd>
void SharedSlabPools<SlabT, kFirst, kEnd>::VerifyInvariants(
    HeapVerifier& check) {
  SlabTally tallies[kEnd - kFirst];
  source_.VerifyInvariants(check, [&](const SlabT& slab) {
    if (slab.size_class == SizeClass::kNone) return;
    const size_t c = Index(slab.size_class);
    if (check.Require(c >= kFirst && c < kEnd,
                      "a slab is of a class that its source does not serve",
                      slab.base)) {
      tallies[c - kFirst].Add(slab);
    }
  });
  SlabSource<SlabT>::CheckPool(check);
  for (size_t c = kFirst; c < kEnd; ++c) {
    const SlabTally& tally = tallies[c - kFirst];
    ClassPool& pool = pools_[c - kFirst];
    pool.slabs.VerifyInvariants(SizeClass{static_cast<uint8_t>(c)}, tally,
                                check);
    pool.idle.VerifyInvariants(tally.idle_queued, check);
    check.RequireEqualAtRest(pool.blocks.load(std::memory_order_relaxed),
                             tally.used_blocks,
                             "wrong count of a class's blocks in use");
  }
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_CHECK_H_
