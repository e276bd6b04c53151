// What is said of a free that cannot be right, before the process aborts.
#ifndef HAKMEM_BACKEND_BAD_FREE_H_
#define HAKMEM_BACKEND_BAD_FREE_H_

#include <cstdint>

#include "backend/slab.h"

namespace hakmem {

// `address` is not the start of a block in use of `slab`: it lies inside a
// block, or in no block, or the block is free already. One line, then abort.
[[noreturn]] void AbortOnBadSlabFree(const Slab& slab, uintptr_t address);

// `address` belongs to nothing the address map knows. One line, then abort.
[[noreturn]] void AbortOnForeignFree(uintptr_t address);

// `address` was freed again while still in the thread's bin.
[[noreturn]] void AbortOnDoubleFree(uintptr_t address, size_t block_bytes);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_BAD_FREE_H_
