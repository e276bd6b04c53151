// The books of one chunk cut into page spans. Private to the page heap.
#ifndef HAKMEM_BACKEND_PAGE_CHUNK_H_
#define HAKMEM_BACKEND_PAGE_CHUNK_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "backend/chunk.h"
#include "backend/span.h"
#include "base/intrusive_list.h"

namespace hakmem {

struct PageChunk;
struct HeldPageChunksTag {};
struct ByAgeTag {};

// A free span. It lies in the list of its length, and when some of it is
// resident also in the list of those to purge, oldest first.
struct FreeSpan : ListNode<FreeSpan>, ListNode<FreeSpan, ByAgeTag> {
  PageChunk* chunk;
  uint32_t first;  // page number in the chunk
  uint32_t pages;
  uint32_t resident;  // pages of it; in the list by age unless 0
  uint64_t freed_at;  // CoarseMilliseconds
};

struct PageChunk : Chunk, ListNode<PageChunk, HeldPageChunksTag> {
  enum class State : uint8_t { kInside = 0, kUsed, kFree, kPurging };

  // At the first and the last page of a span; zeros between.
  struct Tag {
    uint16_t pages;
    State state;
    bool is_first;  // false at the last page of a longer span
  };

  PageChunk* pool_next;
  uint32_t used_pages;
  Tag tags[kPagesPerChunk];
  uint64_t resident[kPagesPerChunk / 64];
  FreeSpan free_spans[kPagesPerChunk];  // by first page

  size_t PageOf(uintptr_t address) const {
    return (address - base) >> kPageShift;
  }
  uintptr_t AddressOf(size_t page) const { return base + page * kPageBytes; }

  void SetTags(size_t first, size_t pages, State state) {
    const auto n = static_cast<uint16_t>(pages);
    tags[first + pages - 1] = {n, state, false};
    tags[first] = {n, state, true};
  }
  void ClearTags(size_t first, size_t pages) {
    tags[first] = {};
    tags[first + pages - 1] = {};
  }

  // Length of the span in `state` that starts at `page`; 0 when none does.
  size_t SpanAt(size_t page, State state) const {
    const Tag& tag = tags[page];
    return tag.is_first && tag.state == state ? tag.pages : 0;
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
  // Calls visit(word, mask) for the words that pages [first, first+pages) are
  // bits of.
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

#endif  // HAKMEM_BACKEND_PAGE_CHUNK_H_
