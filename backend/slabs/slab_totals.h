// What the slabs of a back-end, or of ACE, amount to, and how they are visited.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_
#define HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_

#include <cstdint>

namespace hakmem {

struct Slab;

// In bytes and counts.
struct SlabTotals {
  uint64_t chunks = 0;           // SuperSlabs or segments
  uint64_t slabs = 0;            // of a class
  uint64_t block_bytes = 0;      // in blocks handed out (in use or in bins)
  uint64_t committed_bytes = 0;  // touched pages of all slabs, free ones too
};

// One visit per slab of a class, with the slab's lock held: read, don't call.
using SlabVisitor = void (*)(const Slab& slab, void* argument);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_TOTALS_H_
