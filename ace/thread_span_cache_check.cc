#include "ace/thread_span_cache_check.h"

#include "ace/thread_span_cache.h"
#include "backend/spans/page_heap.h"

namespace hakmem {

void CheckCachedSpans(const uintptr_t* spans, uint32_t count, size_t pages,
                      HeapVerifier& check) {
  for (uint32_t i = 0; i < count; ++i) {
    check.RequireEqual(
        PageHeap::CachedPagesAt(PagemapEntry::At(spans[i])), pages,
        "a span in a cache is not tagged as cached, or not so many pages long",
        spans[i]);
  }
  check.tally.spans_in_caches += count;
}

void ThreadSpanCache::VerifyInvariants(HeapVerifier& check) const {
  size_t bytes = 0;
  size_t classes = 0;
  for (size_t pages = 0; pages <= kMaxPages; ++pages) {
    const Bin& bin = bins_[pages];
    if (!check.Require(bin.count <= kMaxSpans && bin.limit <= kMaxSpans,
                       "a span bin has more spans than room")) {
      continue;
    }
    check.Require(bin.low <= bin.count,
                  "a span bin's low water is above what it has");
    check.RequireEqual(held_[pages / 64] >> (pages % 64) & 1, bin.count != 0,
                       "span bins are wrong on which are not empty");
    CheckCachedSpans(spans_[pages], bin.count, pages, check);
    bytes += bin.count * pages * kPageBytes;
    classes += bin.limit != 0;
  }
  check.RequireEqual(held_bytes(), bytes, "wrong sum of cached spans' bytes");
  if (kAceMode == AceMode::kAdaptive) {
    check.RequireEqual(this->classes(), classes,
                       "wrong count of lengths with room");
  }
}

}  // namespace hakmem
