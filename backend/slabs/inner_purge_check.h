// Checks the queue of slabs that may have pages to purge (heap_verifier.h).
#ifndef HAKMEM_BACKEND_SLABS_INNER_PURGE_CHECK_H_
#define HAKMEM_BACKEND_SLABS_INNER_PURGE_CHECK_H_

#include "backend/slabs/inner_purge.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

template <typename SlabT>
void IdleSlabs<SlabT>::VerifyInvariants(uint64_t queued,
                                        HeapVerifier& check) const {
  size_t found = 0;
  for (const uint8_t queue : {kOthers, kThin}) {
    found += WalkList(
        queues_[queue - 1], "a queue of slabs with idle pages is broken", check,
        [&](const Slab* slab) {
          check.RequireEqual(slab->idle_queue, queue,
                             "a slab is in another queue", slab->base);
        });
  }
  check.RequireEqual(queued, found,
                     "slabs say that they are queued, but are not");
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_INNER_PURGE_CHECK_H_
