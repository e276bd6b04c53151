// The pools of mid blocks (2 KiB to 32 KiB), shared by all threads: the
// template that the SuperSlab back-end uses, for ACE's classes and with chunks
// of its own. Internal to ACE.
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
