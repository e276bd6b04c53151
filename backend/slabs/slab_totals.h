// Sums over the slabs of a back-end or of ACE, and a visitor of slabs.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_
#define HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_

#include <cstdint>

namespace hakmem {

struct Slab;

// In bytes and counts.
struct SlabTotals {
  uint64_t chunks = 0;           // SuperSlabs or segments
  uint64_t slabs = 0;            // with a class
  uint64_t block_bytes = 0;      // in allocated blocks (in use or in bins)
  uint64_t committed_bytes = 0;  // touched pages of all slabs, free too
};

// Called for each slab of a class, with the bytes of its touched pages, under
// the slab's lock: must not call the allocator.
using SlabVisitor = void (*)(const Slab& slab, uint64_t committed_bytes,
                             void* argument);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_
