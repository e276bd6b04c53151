// What is said of a call with a block, or of a block, that cannot be right,
// before the process aborts: one line, which names the function that was called
// (block_call.h), and with HAKMEM_ABORT_STACK the stack below it.
#ifndef HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_
#define HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_

#include <cstddef>
#include <cstdint>

#include "base/text/log.h"
#include "hardening/block_origins.h"

namespace hakmem {

// Sends the line, and the stack if asked for, and aborts. What a handler of
// SIGABRT allocates is served though the caller hold locks (emergency.h).
[[noreturn, gnu::cold]] void AbortWith(LogLine& line);

// Where the blocks of a slab lie: `block_count` of `block_bytes` from `base`
// on.
struct SlabLayout {
  uintptr_t base;
  size_t block_bytes;
  size_t block_count;
};

// `address`, at or behind the base of `slab`, is not the start of a block in
// use: it lies inside a block, or in no block, or the block is free already.
[[noreturn, gnu::cold]] void AbortOnBadSlabFree(const SlabLayout& slab,
                                                uintptr_t address);

// `address` lies in a span or large block, `offset` bytes into it.
[[noreturn, gnu::cold]] void AbortOnMiddleOfSpan(uintptr_t address,
                                                 size_t offset);

// `address` belongs to nothing the pagemap knows. `for_sure`: nor did it
// ever, as far as the caller remembers.
[[noreturn, gnu::cold]] void AbortOnForeignFree(uintptr_t address,
                                                bool for_sure = true);

// `address` lies in memory of ours of which nothing is in use.
[[noreturn, gnu::cold]] void AbortOnNoBlock(uintptr_t address);

// `address` was freed again, or used after it was freed.
[[noreturn, gnu::cold]] void AbortOnDoubleFree(uintptr_t address,
                                               size_t block_bytes);

// The same for a block of whose size nothing is known any more.
[[noreturn, gnu::cold]] void AbortOnDoubleFree(uintptr_t address);

// The free block at `address` no longer holds what it did when it was freed.
[[noreturn, gnu::cold]] void AbortOnWriteAfterFree(uintptr_t address,
                                                   size_t block_bytes);

// The caller says that `told` bytes were asked for of the block at `address`,
// which has `block_bytes`.
[[noreturn, gnu::cold]] void AbortOnWrongSize(uintptr_t address, size_t told,
                                              size_t block_bytes);

// The block at `address` was allocated by functions of the kind `origin`, which
// the one that was called now is not for.
[[noreturn, gnu::cold]] void AbortOnMismatch(uintptr_t address, Origin origin);

// The caller says that the block at `address` was asked for with an alignment
// that it has not.
[[noreturn, gnu::cold]] void AbortOnWrongAlignment(uintptr_t address,
                                                   size_t alignment);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ERRORS_ERROR_REPORTING_H_
