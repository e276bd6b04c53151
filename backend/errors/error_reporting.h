// Reports a wrong call with a block, or a damaged block, and aborts: prints one
// line that names the function called (block_call.h), and with
// HAKMEM_ABORT_STACK the stack.
#ifndef HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_
#define HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_

#include <cstddef>
#include <cstdint>

#include "base/text/log.h"
#include "hardening/block_origins.h"

namespace hakmem {

// Prints the line, and the stack if asked for, and aborts. A SIGABRT handler
// may allocate even if the caller holds locks (emergency.h).
[[noreturn, gnu::cold]] void AbortWith(LogLine& line);

// A slab's blocks: `block_count` of `block_bytes`, starting at `base`.
struct SlabLayout {
  uintptr_t base;
  size_t block_bytes;
  size_t block_count;
};

// `address`, at or after the base of `slab`, is not the start of a block in
// use: it lies inside a block, in no block, or the block is free already.
[[noreturn, gnu::cold]] void AbortOnBadSlabFree(const SlabLayout& slab,
                                                uintptr_t address);

// `address` lies in a span or large block, `offset` bytes into it.
[[noreturn, gnu::cold]] void AbortOnMiddleOfSpan(uintptr_t address,
                                                 size_t offset);

// `address` is not in the pagemap. `is_certain`: no block ever started there;
// otherwise one may have, and is no longer remembered (FreedLarge).
[[noreturn, gnu::cold]] void AbortOnForeignFree(uintptr_t address,
                                                bool is_certain = true);

// `address` lies in memory of ours where nothing is in use.
[[noreturn, gnu::cold]] void AbortOnNoBlock(uintptr_t address);

// `address` was freed again, or used after it was freed.
[[noreturn, gnu::cold]] void AbortOnDoubleFree(uintptr_t address,
                                               size_t block_bytes);

// The same for a block whose size is no longer known.
[[noreturn, gnu::cold]] void AbortOnDoubleFree(uintptr_t address);

// The free block at `address` has been written to since it was freed.
[[noreturn, gnu::cold]] void AbortOnWriteAfterFree(uintptr_t address,
                                                   size_t block_bytes);

// The caller says that the block at `address`, which has `block_bytes`, was
// allocated with `told` bytes.
[[noreturn, gnu::cold]] void AbortOnWrongSize(uintptr_t address, size_t told,
                                              size_t block_bytes);

// The block at `address` was allocated by functions of the kind `origin`, which
// do not match the function called now.
[[noreturn, gnu::cold]] void AbortOnMismatch(uintptr_t address, Origin origin);

// The caller says that the block at `address` was allocated with an alignment
// that it does not have.
[[noreturn, gnu::cold]] void AbortOnWrongAlignment(uintptr_t address,
                                                   size_t alignment);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_
