// Verifies the page heap's metadata: tags tile each chunk, no two free spans
// are adjacent, the lists hold exactly the free ones, and the counts of
// resident pages add up.
#include <bit>

#include "backend/memory/metadata_check.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap_metadata.h"
#include "base/os/os_memory.h"

namespace hakmem {
namespace {

using State = PageChunk::State;

struct Sums {
  size_t used_pages = 0;
  size_t free_spans = 0;
  size_t dirty_pages = 0;
};

// Whether the tags of the span at `first` match its length.
bool IsTagged(const PageChunk& chunk, size_t first, PageChunk::Tag tag) {
  for (size_t page = first + 1; page + 1 < first + tag.pages; ++page) {
    if (std::bit_cast<uint32_t>(chunk.TagAt(page)) != 0) return false;
  }
  if (tag.pages == 1) return true;
  // Only the first tag is ever kCached.
  const PageChunk::Tag last = chunk.TagAt(first + tag.pages - 1);
  const State state = tag.state == State::kCached ? State::kUsed : tag.state;
  return !last.is_first && last.pages == tag.pages && last.slot == tag.slot &&
         last.state == state;
}

void CheckFreeSpan(const PageChunk& chunk, size_t first, PageChunk::Tag tag,
                   HeapVerifier& check) {
  const uintptr_t at = chunk.AddressOf(first);
  const FreeSpan& span = chunk.free_spans[tag.slot];
  check.Require(span.chunk == &chunk && span.first == first,
                "a free span's slot is another's", at);
  check.Require((chunk.unused_slots[tag.slot / 64] >> (tag.slot % 64) & 1) == 0,
                "a free span's slot is unused as well", at);
  check.RequireEqual(span.resident, chunk.CountResident(first, tag.pages),
                     "wrong count of a free span's resident pages", at);
  check.Require(
      span.resident == 0 || chunk.has_resident || os::PageBytes() != kPageBytes,
      "a chunk does not know of its free resident pages", at);
}

// Returns the sums of the spans of `chunk`.
Sums CheckChunk(const PageChunk& chunk, HeapVerifier& check) {
  Sums sums;
  State previous = State::kUsed;
  for (size_t page = 0; page < kPagesPerChunk;) {
    const PageChunk::Tag tag = chunk.TagAt(page);
    const uintptr_t at = chunk.AddressOf(page);
    if (!check.Require(tag.is_first && tag.state != State::kInside &&
                           tag.pages != 0 && tag.pages <= kPagesPerChunk - page,
                       "no span begins where the one before ends", at)) {
      return sums;  // the rest cannot be parsed
    }
    check.Require(IsTagged(chunk, page, tag),
                  "a span's tags are not those of its length", at);
    switch (tag.state) {
      case State::kFree:
        check.Require(previous != State::kFree, "two free spans are neighbours",
                      at);
        CheckFreeSpan(chunk, page, tag, check);
        ++sums.free_spans;
        sums.dirty_pages += chunk.CountResident(page, tag.pages);
        break;
      case State::kCached:
        ++check.tally.cached_spans;
        [[fallthrough]];
      case State::kUsed:
        sums.used_pages += tag.pages;
        check.RequireEqual(chunk.CountResident(page, tag.pages), tag.pages,
                           "a used span is not resident all through", at);
        break;
      case State::kPurging:
      case State::kInside:
        check.RequireAtRest(false, "a span is left being purged", at);
        break;
    }
    previous = tag.state;
    page += tag.pages;
  }
  size_t slots = 0;
  for (const uint64_t unused : chunk.unused_slots) {
    slots += static_cast<size_t>(64 - std::popcount(unused));
  }
  check.RequireEqual(slots, sums.free_spans,
                     "wrong number of slots for free spans", chunk.base);
  check.RequireEqual(chunk.used_pages, sums.used_pages,
                     "wrong count of a chunk's used pages", chunk.base);
  return sums;
}

size_t CheckFreeList(const PageHeapMetadata& metadata, size_t pages,
                     HeapVerifier& check) {
  const IntrusiveList<FreeSpan>& list = metadata.free_lists[pages];
  check.RequireEqual(metadata.lengths_in_use[pages / 64] >> (pages % 64) & 1,
                     !list.empty(),
                     "the page heap is wrong on which lists are not empty");
  return WalkList(
      list, "a list of free spans is broken", check, [&](const FreeSpan* span) {
        const PageChunk::Tag tag = span->chunk->TagAt(span->first);
        check.Require(tag.is_first && tag.state == State::kFree &&
                          tag.pages == pages &&
                          &span->chunk->free_spans[tag.slot] == span,
                      "a span in a list is not free, or not so long",
                      span->chunk->AddressOf(span->first));
      });
}

}  // namespace

void CheckPageHeap(const PageHeapMetadata& metadata, HeapVerifier& check) {
  Sums all;
  const size_t count = WalkList(
      metadata.held, "the list of the page heap's chunks is broken", check,
      [&](const PageChunk* chunk) {
        if (!check.Require(Pagemap::ChunkAt(chunk->base) == chunk &&
                               chunk->kind == ChunkKind::kPages,
                           "a page chunk is not in the pagemap", chunk->base)) {
          return;
        }
        const Sums sums = CheckChunk(*chunk, check);
        all.used_pages += sums.used_pages;
        all.free_spans += sums.free_spans;
        all.dirty_pages += sums.dirty_pages;
      });
  check.RequireEqual(metadata.held_count, count, "wrong count of page chunks");
  check.tally.page_chunks += count;
  size_t listed = 0;
  for (size_t pages = 0; pages <= kPagesPerChunk; ++pages) {
    listed += CheckFreeList(metadata, pages, check);
  }
  check.RequireEqual(listed, all.free_spans,
                     "wrong number of spans in lists by length");
  check.RequireEqual(metadata.used_pages, all.used_pages,
                     "wrong sum of used pages");
  check.RequireEqual(metadata.dirty_pages, all.dirty_pages,
                     "wrong sum of free spans' resident pages");
  check.tally.dirty_span_bytes += all.dirty_pages * kPageBytes;
  metadata.chunk_pool.VerifyInvariants(check, [](const PageChunk* chunk) {
    return Pagemap::ChunkAt(chunk->base) == chunk;
  });
}

}  // namespace hakmem
