// The metadata of one chunk cut into page spans. Internal to the page heap.
#ifndef HAKMEM_BACKEND_SPANS_PAGE_CHUNK_H_
#define HAKMEM_BACKEND_SPANS_PAGE_CHUNK_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"
#include "backend/spans/span.h"
#include "base/intrusive_list.h"
#include "hardening/block_origins.h"

namespace hakmem {

struct PageChunk;
struct HeldPageChunksTag {};

// A free span, in the list of its length, which its tags hold.
struct FreeSpan : ListNode<FreeSpan> {
  PageChunk* chunk;
  uint32_t freed_at;  // CoarseMilliseconds, modulo 2^32
  uint16_t first;     // page number in the chunk
  uint16_t resident;  // number of its resident pages
};

struct PageChunk : Chunk, ListNode<PageChunk, HeldPageChunksTag> {
  // kCached: held by a thread or central span cache. The page heap counts the
  // span as used, but the program has freed it.
  enum class State : uint8_t { kInside = 0, kUsed, kCached, kFree, kPurging };

  // At the first and the last page of a span; zeros between. Only the first
  // page's tag is ever kCached.
  struct alignas(uint32_t) Tag {
    uint16_t pages;
    uint8_t slot;  // of a free span: its index in free_spans
    State state : 5;
    Origin origin : 2;  // of a used span, in hardened builds, at its first page
    bool is_first : 1;  // false at the last page of a longer span

    static Tag Make(size_t pages, uint8_t slot, State state, bool is_first) {
      Tag tag;
      tag.pages = static_cast<uint16_t>(pages);
      tag.slot = slot;
      tag.state = state;
      tag.origin = Origin::kUnknown;
      tag.is_first = is_first;
      return tag;
    }
  };

  // No two free spans are neighbours.
  static constexpr size_t kMaxFreeSpans = kPagesPerChunk / 2;

  PageChunk* pool_next;
  uint32_t used_pages;
  // All free spans with resident pages were freed at this time or later;
  // CoarseMilliseconds.
  uint32_t resident_since;
  bool has_resident;  // whether there may be such a span
  // Changed under the heap's lock, except kUsed to kCached and back, and the
  // origin, which the holder of the span changes. The holder reads them without
  // the lock.
  std::atomic<Tag> tags[kPagesPerChunk];
  uint64_t resident[kPagesPerChunk / 64];
  // Slots are allocated from the front, so that those in use lie together: a
  // few cache lines per chunk, where one slot per page would take hundreds.
  uint64_t unused_slots[kMaxFreeSpans / 64];
  FreeSpan free_spans[kMaxFreeSpans];

  size_t PageOf(uintptr_t address) const {
    return (address - base) >> kPageShift;
  }
  uintptr_t AddressOf(size_t page) const { return base + page * kPageBytes; }

  // relaxed: tags do not synchronise the hand-over of spans.
  Tag TagAt(size_t page) const {
    return tags[page].load(std::memory_order_relaxed);
  }
  void SetTag(size_t page, Tag tag) {
    tags[page].store(tag, std::memory_order_relaxed);
  }

  void SetTags(size_t first, size_t pages, State state, uint8_t slot = 0) {
    SetTag(first + pages - 1, Tag::Make(pages, slot, state, false));
    SetTag(first, Tag::Make(pages, slot, state, true));
  }
  void ClearTags(size_t first, size_t pages) {
    SetTag(first, {});
    SetTag(first + pages - 1, {});
  }

  // Length of the span in `state` that starts at `page`; 0 when there is none.
  size_t SpanAt(size_t page, State state) const {
    const Tag tag = TagAt(page);
    return tag.is_first && tag.state == state ? tag.pages : 0;
  }

  uint8_t TakeSlot() {
    size_t word = 0;
    while (unused_slots[word] == 0) ++word;
    const int bit = std::countr_zero(unused_slots[word]);
    unused_slots[word] &= unused_slots[word] - 1;
    return static_cast<uint8_t>(word * 64 + static_cast<size_t>(bit));
  }
  void ReturnSlot(const FreeSpan* span) {
    const auto slot = static_cast<size_t>(span - free_spans);
    unused_slots[slot / 64] |= uint64_t{1} << (slot % 64);
  }

  uint32_t CountResident(size_t first, size_t pages) const {
    uint32_t count = 0;
    ForEachWord(first, pages, [&](size_t word, uint64_t mask) {
      count += static_cast<uint32_t>(std::popcount(resident[word] & mask));
    });
    return count;
  }
  void SetResident(size_t first, size_t pages, bool value) {
    ForEachWord(first, pages, [&](size_t word, uint64_t mask) {
      resident[word] = value ? resident[word] | mask : resident[word] & ~mask;
    });
  }
  bool IsResident(size_t page) const {
    return (resident[page / 64] >> (page % 64) & 1) != 0;
  }

 private:
  // Calls visit(word, mask) for each bitmap word that has bits of pages [first,
  // first+pages).
  template <typename Visit>
  static void ForEachWord(size_t first, size_t pages, Visit&& visit) {
    const size_t end = first + pages;
    for (size_t page = first; page < end;) {
      const size_t word = page / 64;
      const size_t low = page % 64;
      const size_t count = std::min<size_t>(64 - low, end - page);
      const uint64_t ones =
          count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
      visit(word, ones << low);
      page += count;
    }
  }
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SPANS_PAGE_CHUNK_H_
