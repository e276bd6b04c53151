// The page heap: spans of 1 to 256 pages, cut from chunks.
//
//   chunk (512 pages)  │ used 3 │ free 5 │ used 1 │ used 90 │ free 413 │
//   tags               │ 3    3 │ 5    5 │   1    │ 90   90 │ 413  413 │
//
// Boundary tags out of line: a span's length and state are stored at its first
// and last page, with zeros between. So the neighbours of a freed span are
// found and merged at once, and an address inside a span is distinguished from
// its start. Allocation is best fit over one list per length (Knuth, vol. 1,
// 2.5; the lists by length are tcmalloc's page heap). A bit per page records
// residency, so that purging, and knowing what is zero, are exact.
//
// Thread-safe by one lock, which precedes the chunk source's in the lock order.
#ifndef HAKMEM_BACKEND_SPANS_PAGE_HEAP_H_
#define HAKMEM_BACKEND_SPANS_PAGE_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/pagemap.h"
#include "backend/memory/pagemap_entry.h"
#include "backend/memory/purge_budget.h"
#include "backend/spans/page_chunk.h"
#include "backend/spans/span.h"

namespace hakmem {

class HeapVerifier;

struct PageTotals {
  uint64_t chunks = 0;
  uint64_t used_bytes = 0;       // in spans handed out
  uint64_t committed_bytes = 0;  // resident pages, used and free
};

class PageHeap {
 public:
  // A span of `pages` (1 to 256: kMaxSpanBytes), aligned to `alignment` bytes
  // (a
  // power of two from kPageBytes to kMaxSpanBytes).
  static SpanAllocation Allocate(size_t pages, size_t alignment);

  // The functions below accept any entry (pagemap_entry.h), whether or
  // not a span starts there.

  // Length in pages of the used span that starts there; 0 when there is none.
  // Takes no lock: exact for the holder of the span.
  static size_t PagesAt(PagemapEntry entry) {
    return PagesIn(entry, PageChunk::State::kUsed);
  }

  // The same for a cached span.
  static size_t CachedPagesAt(PagemapEntry entry) {
    return PagesIn(entry, PageChunk::State::kCached);
  }

  // Marks a used span of `pages` as cached, so that a double free of it is
  // detected: the heap still counts it as used, but it is no longer the
  // program's. And back, given only the address. Takes no lock; the caller
  // holds the span.
  static void MarkCached(PagemapEntry entry, size_t pages) {
    Mark(entry, pages, PageChunk::State::kCached);
  }
  static void MarkUsed(uintptr_t address, size_t pages) {
    Mark(PagemapEntry(address, Pagemap::ChunkAt(address)), pages,
         PageChunk::State::kUsed);
  }

  // The origin of the used span that starts there: kUnknown when there is none,
  // or it was not recorded since the span was allocated or resized.
  static Origin OriginAt(PagemapEntry entry) {
    if (PagesAt(entry) == 0) return Origin::kUnknown;
    const PageChunk* chunk = ChunkOf(entry);
    return chunk->TagAt(chunk->PageOf(entry.address)).origin;
  }
  // Records it; false when no used span starts there. The caller holds the
  // span.
  static bool SetOrigin(PagemapEntry entry, Origin origin) {
    if (PagesAt(entry) == 0) return false;
    PageChunk* chunk = ChunkOf(entry);
    PageChunk::Tag tag = chunk->TagAt(chunk->PageOf(entry.address));
    tag.origin = origin;
    chunk->SetTag(chunk->PageOf(entry.address), tag);
    return true;
  }

  // Frees the used span that starts there. Returns its pages; 0, without
  // effect, when there is none.
  static size_t Free(PagemapEntry entry, uint64_t now);

  // The same for a cached span.
  static size_t FreeCached(PagemapEntry entry, uint64_t now);

  // Resizes the used span that starts there to `pages`, without moving it.
  // Returns false, and does nothing, when there is none or the pages after it
  // are not free.
  static bool Resize(PagemapEntry entry, size_t pages, uint64_t now);

  // Purges free spans that were freed at least the decay time before `now`, all
  // of them with `force`. Returns the bytes purged.
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr);

  static PageTotals Totals();

  // Bytes in used spans, read without the lock.
  static size_t UsedBytes();

  // The start of the used span that contains `address`, which lies in a page
  // chunk, for messages; 0 when the page is free.
  static uintptr_t SpanAround(uintptr_t address);

  static void LockForFork();
  static void UnlockAfterFork();

  // Verifies all metadata (heap_verifier.h). The caller holds the locks, as for
  // fork.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);

 private:
  static PageChunk* ChunkOf(PagemapEntry entry) {
    return entry.kind() == PagemapEntryKind::kSpan
               ? static_cast<PageChunk*>(entry.chunk())
               : nullptr;
  }

  // Length of the span in `state`. The chunk's metadata may have been reused
  // since it was found: then it describes another address.
  static size_t PagesIn(PagemapEntry entry, PageChunk::State state) {
    const PageChunk* chunk = ChunkOf(entry);
    if (chunk == nullptr || entry.address % kPageBytes != 0) return 0;
    const size_t page = chunk->PageOf(entry.address);
    return page < kPagesPerChunk ? chunk->SpanAt(page, state) : 0;
  }

  static void Mark(PagemapEntry entry, size_t pages, PageChunk::State state) {
    PageChunk* chunk = ChunkOf(entry);
    chunk->SetTag(chunk->PageOf(entry.address),
                  PageChunk::Tag::Make(pages, 0, state, true));
  }

  static size_t FreeSpanIn(PageChunk::State state, PagemapEntry entry,
                           uint64_t now);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SPANS_PAGE_HEAP_H_
