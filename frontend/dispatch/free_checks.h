// What is compared in hardened builds with what the caller of a free says of
// the block.
#ifndef HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
#define HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_

#include <cstddef>

#include "backend/errors/block_call.h"

namespace hakmem {

// What the caller of a sized or aligned free says: the size and the alignment
// that the block was asked for with. 0: it says nothing of it.
struct SizedFreeHint {
  size_t bytes = 0;
  size_t alignment = 0;
};

// Aborts with one line when `block`, in use and not null, cannot have been
// asked for in these terms. Of blocks above 32 KiB, and of C's, which realloc
// may have left larger than need be, all that can be said is that they are
// large enough and not twice too large.
// `function` is what the program called.
void CheckTerms(const void* block, SizedFreeHint terms, BlockCall function);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
