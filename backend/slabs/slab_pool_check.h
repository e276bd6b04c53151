// Checks a slab pool (heap_verifier.h): slabs with free and used blocks are in
// the list of their fullness, the empty one is the spare, and full ones are in
// no list.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_POOL_CHECK_H_
#define HAKMEM_BACKEND_SLABS_SLAB_POOL_CHECK_H_

#include "backend/memory/pagemap.h"
#include "backend/slabs/slab_check.h"
#include "backend/slabs/slab_pool.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

template <typename SlabT>
void SlabPool<SlabT>::VerifyInvariants(SizeClass size_class,
                                       const SlabTally& tally,
                                       HeapVerifier& check) const {
  const auto check_class = [&](const Slab& slab) {
    check.Require(slab.size_class == size_class &&
                      Pagemap::ClassAt(slab.base) == size_class,
                  "a slab is in the pool of another class", slab.base);
  };
  size_t partial = 0;
  for (uint8_t list = 0; list < kBuckets; ++list) {
    partial +=
        WalkList(partial_[list], "a list of slabs by fullness is broken", check,
                 [&](const Slab* slab) {
                   check_class(*slab);
                   check.Require(!slab->IsEmpty() && slab->bucket == list + 1 &&
                                     BucketOf(*slab) == list + 1,
                                 "a slab is in the list of another fullness",
                                 slab->base);
                 });
    check.RequireEqual(buckets_in_use_ >> list & 1, !partial_[list].empty(),
                       "a pool is wrong on which lists are not empty");
  }
  check.RequireEqual(partial, tally.partial,
                     "wrong number of slabs in lists by fullness");
  if (spare_ != nullptr) {
    check_class(*spare_);
    check.Require(spare_->IsEmpty() && spare_->bucket == kNoBucket,
                  "a pool's spare slab is not empty", spare_->base);
  }
  check.RequireEqual(tally.empty, spare_ != nullptr,
                     "wrong number of slabs without a block in use");
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_POOL_CHECK_H_
