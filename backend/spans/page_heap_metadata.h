// References to all state of the page heap, for the verifier
// (page_heap_check.cc).
#ifndef HAKMEM_BACKEND_SPANS_PAGE_HEAP_METADATA_H_
#define HAKMEM_BACKEND_SPANS_PAGE_HEAP_METADATA_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/metadata.h"
#include "backend/spans/page_chunk.h"
#include "backend/verify/heap_verifier.h"
#include "base/intrusive_list.h"

namespace hakmem {

// References to the variables of these names in page_heap.cc.
struct PageHeapMetadata {
  const IntrusiveList<PageChunk, HeldPageChunksTag>& held;
  size_t held_count;
  const IntrusiveList<FreeSpan> (&free_lists)[kPagesPerChunk + 1];
  const uint64_t (&lengths_in_use)[kPagesPerChunk / 64 + 1];
  size_t dirty_pages;
  size_t used_pages;
  MetadataAllocator<PageChunk>& chunk_pool;
};

// PageHeap::VerifyInvariants.
[[gnu::cold]] void CheckPageHeap(const PageHeapMetadata& metadata,
                                 HeapVerifier& check);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SPANS_PAGE_HEAP_METADATA_H_
