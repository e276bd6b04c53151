// Hardened builds: compares a block with what the caller of a free states about
// it.
#ifndef HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
#define HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_

#include <cstddef>

#include "backend/errors/block_call.h"

namespace hakmem {

// The size and the alignment that the caller of a sized or aligned free says
// the block was requested with. 0: not stated.
struct SizedFreeHint {
  size_t bytes = 0;
  size_t alignment = 0;
};

// Aborts with one line when `block`, in use and not null, cannot have been
// requested with these terms. Blocks above 32 KiB, and C's, which realloc may
// have left larger than necessary, are only checked to be large enough and at
// most twice as large as necessary. `function` is what the program called.
void CheckTerms(const void* block, SizedFreeHint terms, BlockCall function);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
