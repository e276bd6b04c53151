// Hardened builds: compares a block with what the caller of a free states about
// it.
#ifndef HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
#define HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_

#include <cstddef>
#include <cstdint>

#include "backend/errors/block_call.h"
#include "base/size_classes.h"

namespace hakmem {

// The size and the alignment that the caller of a sized or aligned free says
// the block was requested with. 0: not stated.
struct SizedFreeHint {
  size_t bytes = 0;
  size_t alignment = 0;
};

// A block that is to be freed: its class, kNone above 32 KiB, and its bytes.
struct FreedBlock {
  uintptr_t address;
  SizeClass size_class;
  size_t usable;
};

// Whether the block may have been requested with these terms. Blocks above 32
// KiB, and C's, which realloc may have left larger than necessary, only have to
// be large enough and at most twice as large as necessary. `function` is what
// the program called.
bool MayHaveBeenSized(const FreedBlock& block, SizedFreeHint hint,
                      BlockCall function);

// Aborts with one line that says in what they differ.
[[noreturn, gnu::cold]] void AbortOnSizedFree(const FreedBlock& block,
                                              SizedFreeHint hint);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_FREE_CHECKS_H_
