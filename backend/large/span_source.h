// The span source: memory for everything above tiny, whoever serves it.
//
//   up to kMaxSpanBytes   a span of whole pages from the page heap
//   above                 a mapping of its own (large.h)
//
// Addresses given here are the caller's claim: every function checks them
// against the books. Thread-safe.
#ifndef HAKMEM_BACKEND_LARGE_SPAN_SOURCE_H_
#define HAKMEM_BACKEND_LARGE_SPAN_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "backend/spans/span.h"

namespace hakmem {

class SpanSource {
 public:
  // `bytes` (at most PTRDIFF_MAX; 0 counts as 1) aligned to `alignment`, a
  // power of two. Page-aligned at least. Address 0 when the OS refused.
  static SpanAllocation Allocate(size_t bytes, size_t alignment);

  // Usable bytes of the block that starts at `address`; 0 when none does.
  static size_t BytesAt(uintptr_t address);

  // Gives the block at `address` back. Aborts with one line that says what
  // the address is when no block starts there.
  static void Free(uintptr_t address, uint64_t now);

  // Makes the block at `address` at least `bytes` long without copying: in
  // place, or by moving pages. Returns where it is now; 0 when that cannot be
  // done, and the block is as it was.
  static uintptr_t Resize(uintptr_t address, size_t bytes, uint64_t now);

  // Aborts with one line that says what `address`, where no block starts, is.
  [[noreturn]] static void AbortOnBadAddress(uintptr_t address);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_SPAN_SOURCE_H_
