// Mid blocks: 2 KiB to 32 KiB, in slabs that all threads share. The same pools
// as in the SuperSlab back-end, for ACE's classes and over separate chunks.
// Internal to ACE.
#ifndef HAKMEM_ACE_MID_POOLS_H_
#define HAKMEM_ACE_MID_POOLS_H_

#include "ace/mid_slab.h"
#include "backend/slabs/shared_slab_pools.h"
#include "base/size_classes.h"

namespace hakmem {

// Thread-safe. Lock order: see shared_slab_pools.h.
inline constinit SharedSlabPools<MidSlab, kTinyClassCount, kClassCount>
    mid_pools;

}  // namespace hakmem

#endif  // HAKMEM_ACE_MID_POOLS_H_
