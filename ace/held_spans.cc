#include "ace/held_spans.h"

#include "ace/limit.h"
#include "backend/page_heap.h"
#include "base/clock.h"

namespace hakmem {

SpanAllocation HeldSpans::Allocate(size_t pages, size_t alignment) {
  const SpanAllocation span = PageHeap::Allocate(pages, alignment);
  if (!span) AceLimit::Release(pages * kPageBytes);
  return span;
}

size_t HeldSpans::FreeUsed(uintptr_t address) {
  const size_t pages = PageHeap::Free(address, CoarseMilliseconds());
  AceLimit::Release(pages * kPageBytes);
  return pages;
}

void HeldSpans::Return(const uintptr_t* spans, uint32_t count) {
  if (count == 0) return;
  const uint64_t now = CoarseMilliseconds();
  size_t pages = 0;
  for (uint32_t i = 0; i < count; ++i) {
    pages += PageHeap::FreeCached(spans[i], now);
  }
  AceLimit::Release(pages * kPageBytes);
}

bool HeldSpans::Resize(uintptr_t address, size_t old_pages, size_t pages) {
  const uint64_t now = CoarseMilliseconds();
  if (pages <= old_pages) {
    if (!PageHeap::Resize(address, pages, now)) return false;
    AceLimit::Release((old_pages - pages) * kPageBytes);
    return true;
  }
  const size_t more = (pages - old_pages) * kPageBytes;
  if (!AceLimit::Reserve(more)) return false;
  if (PageHeap::Resize(address, pages, now)) return true;
  AceLimit::Release(more);
  return false;
}

}  // namespace hakmem
