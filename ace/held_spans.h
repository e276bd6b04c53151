// Spans of the page heap, counted as what the pool holds (limit.h).
//
// Thread-safe. Lock order: the page heap's.
#ifndef HAKMEM_ACE_HELD_SPANS_H_
#define HAKMEM_ACE_HELD_SPANS_H_

#include <cstddef>
#include <cstdint>

#include "backend/span.h"

namespace hakmem {

class HeldSpans {
 public:
  // As PageHeap::Allocate, for bytes that have been reserved; gives them up
  // when the heap refuses.
  static SpanAllocation Allocate(size_t pages, size_t alignment);

  // As PageHeap::Free: of a span that the program has.
  static size_t FreeUsed(uintptr_t address);

  // Returns `count` cached spans to the heap.
  static void Return(const uintptr_t* spans, uint32_t count);

  // As PageHeap::Resize. May be refused by the limit too, without a note.
  static bool Resize(uintptr_t address, size_t old_pages, size_t pages);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_HELD_SPANS_H_
