// MidSlab: a slab of mid blocks.
#ifndef HAKMEM_ACE_MID_SLAB_H_
#define HAKMEM_ACE_MID_SLAB_H_

#include "backend/slabs/slab.h"

namespace hakmem {

struct MidSlab : Slab {
  // Blocks span pages, so a program may leave most of a block untouched.
  static constexpr bool kHasLongBlocks = true;
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_MID_SLAB_H_
