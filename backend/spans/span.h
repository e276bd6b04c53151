// Spans: runs of whole 4 KiB pages, for requests above the mid classes (32 KiB)
// and up to 1 MiB, and for smaller ones that no class serves (waste cap).
#ifndef HAKMEM_BACKEND_SPANS_SPAN_H_
#define HAKMEM_BACKEND_SPANS_SPAN_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"

namespace hakmem {

// The unit of spans. Not the system's page size, which may be larger: purging
// rounds to that.
inline constexpr int kPageShift = 12;
inline constexpr size_t kPageBytes = size_t{1} << kPageShift;
inline constexpr size_t kPagesPerChunk = kChunkBytes / kPageBytes;

// Larger requests get a separate mapping.
inline constexpr size_t kMaxSpanBytes = size_t{1} << 20;

constexpr size_t PagesFor(size_t bytes) {
  return (bytes + kPageBytes - 1) >> kPageShift;
}

// Memory for one request. `address` is 0 when the OS refused.
struct SpanAllocation {
  uintptr_t address = 0;
  bool is_zero = false;  // reads as zeros: need not be cleared

  explicit operator bool() const { return address != 0; }
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SPANS_SPAN_H_
