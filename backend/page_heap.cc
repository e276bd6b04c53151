#include "backend/page_heap.h"

#include <algorithm>
#include <bit>

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/chunk_source.h"
#include "backend/dirty_ledger.h"
#include "backend/metadata.h"
#include "backend/page_chunk.h"
#include "base/intrusive_list.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/os_memory.h"
#include "tracing/counters.h"

namespace hakmem {
namespace {

using State = PageChunk::State;

constinit Mutex mutex;
constinit MetadataPool<PageChunk> chunk_pool;
constinit IntrusiveList<PageChunk, HeldPageChunksTag> held
    ABSL_GUARDED_BY(mutex);
// free_lists[n]: the free spans of n pages; a bit for each that is not empty.
constinit IntrusiveList<FreeSpan>
    free_lists[kPagesPerChunk + 1] ABSL_GUARDED_BY(mutex);
constinit uint64_t lengths_in_use[kPagesPerChunk / 64 + 1] ABSL_GUARDED_BY(
    mutex) = {};
// Free spans with resident pages, by time: the oldest in front.
constinit IntrusiveList<FreeSpan, ByAgeTag> by_age ABSL_GUARDED_BY(mutex);

void InsertFree(PageChunk* chunk, size_t first, size_t pages, uint64_t now)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  FreeSpan* span = &chunk->free_spans[first];
  span->chunk = chunk;
  span->first = static_cast<uint32_t>(first);
  span->pages = static_cast<uint32_t>(pages);
  span->resident = chunk->CountResident(first, pages);
  span->freed_at = now;
  chunk->SetTags(first, pages, State::kFree);
  free_lists[pages].PushFront(span);
  lengths_in_use[pages / 64] |= uint64_t{1} << (pages % 64);
  if (span->resident != 0) {
    by_age.PushBack(span);
    DirtyLedger::Add(span->resident * kPageBytes);
  }
}

void RemoveFree(FreeSpan* span) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t pages = span->pages;
  free_lists[pages].Remove(span);
  if (free_lists[pages].empty()) {
    lengths_in_use[pages / 64] &= ~(uint64_t{1} << (pages % 64));
  }
  if (span->resident != 0) {
    by_age.Remove(span);
    DirtyLedger::Subtract(span->resident * kPageBytes);
  }
  span->chunk->ClearTags(span->first, pages);
}

// The shortest free span of at least `pages`; null when there is none.
FreeSpan* BestFit(size_t pages) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  size_t word = pages / 64;
  uint64_t bits = lengths_in_use[word] & (~uint64_t{0} << (pages % 64));
  while (bits == 0) {
    if (++word == std::size(lengths_in_use)) return nullptr;
    bits = lengths_in_use[word];
  }
  return free_lists[word * 64 + std::countr_zero(bits)].front();
}

bool AddChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  PageChunk* chunk = chunk_pool.Get();
  if (chunk == nullptr) return false;
  const ChunkSource::Allocation memory = ChunkSource::Allocate();
  if (memory.address == 0) {
    chunk_pool.Put(chunk);
    return false;
  }
  chunk->base = memory.address;
  chunk->kind = ChunkKind::kPages;
  chunk->used_pages = 0;
  // How much of used memory is resident is not known here: all may be.
  chunk->SetResident(0, kPagesPerChunk, !memory.is_zero);
  if (!AddressMap::SetChunk(memory.address, chunk)) {
    ChunkSource::Free(memory.address, memory.is_zero ? 0 : kChunkBytes, 0);
    chunk_pool.Put(chunk);
    return false;
  }
  held.PushBack(chunk);
  InsertFree(chunk, 0, kPagesPerChunk, 0);
  return true;
}

// Makes [first, first+pages) free, merged with its free neighbours. Its tags
// are cleared. A chunk that is free as a whole goes back to the chunk source.
void FreePages(PageChunk* chunk, size_t first, size_t pages, uint64_t now)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t end = first + pages;
  if (end < kPagesPerChunk && chunk->SpanAt(end, State::kFree) != 0) {
    FreeSpan* next = &chunk->free_spans[end];
    pages += next->pages;
    RemoveFree(next);
  }
  if (first > 0 && chunk->tags[first - 1].state == State::kFree) {
    first -= chunk->tags[first - 1].pages;
    FreeSpan* previous = &chunk->free_spans[first];
    pages += previous->pages;
    RemoveFree(previous);
  }
  if (pages < kPagesPerChunk) {
    InsertFree(chunk, first, pages, now);
    return;
  }
  held.Remove(chunk);
  AddressMap::SetChunk(chunk->base, nullptr);
  ChunkSource::Free(chunk->base,
                    chunk->CountResident(0, kPagesPerChunk) * kPageBytes, now);
  chunk_pool.Put(chunk);
}

// The page chunk at `address`; null when there is none (any more).
PageChunk* ChunkOf(uintptr_t address) {
  Chunk* chunk = AddressMap::ChunkAt(address);
  if (chunk == nullptr || chunk->kind != ChunkKind::kPages) return nullptr;
  return static_cast<PageChunk*>(chunk);
}

// Length of the used span that starts at `address`; 0 when none does.
size_t UsedSpanAt(const PageChunk* chunk, uintptr_t address) {
  if (chunk == nullptr || address % kPageBytes != 0) return 0;
  return chunk->SpanAt(chunk->PageOf(address), State::kUsed);
}

// The whole system pages in a free span of `chunk`, as [first, first+pages):
// only those can go back. None when the system's pages are larger.
struct PageRun {
  size_t first;
  size_t pages;
};

PageRun WholeSystemPages(size_t first, size_t pages) {
  const size_t unit = std::max<size_t>(os::PageBytes() / kPageBytes, 1);
  const size_t begin = (first + unit - 1) / unit * unit;
  const size_t end = (first + pages) / unit * unit;
  return {begin, end > begin ? end - begin : 0};
}

}  // namespace

SpanAllocation PageHeap::Allocate(size_t pages, size_t alignment) {
  // With room to align in; what is left over at both ends stays free.
  const size_t room = pages + alignment / kPageBytes - 1;
  MutexLock lock(mutex);
  FreeSpan* span = BestFit(room);
  if (span == nullptr) {
    if (!AddChunk()) return {};
    span = BestFit(room);
  }
  PageChunk* chunk = span->chunk;
  const size_t span_first = span->first;
  const size_t span_pages = span->pages;
  const uint64_t freed_at = span->freed_at;
  const uintptr_t start = chunk->AddressOf(span_first);
  const uintptr_t aligned = (start + alignment - 1) & ~(alignment - 1);
  const size_t first = chunk->PageOf(aligned);
  RemoveFree(span);
  if (first != span_first) {
    InsertFree(chunk, span_first, first - span_first, freed_at);
  }
  const size_t end = first + pages;
  if (end != span_first + span_pages) {
    InsertFree(chunk, end, span_first + span_pages - end, freed_at);
  }
  chunk->SetTags(first, pages, State::kUsed);
  const bool is_zero = chunk->CountResident(first, pages) == 0;
  chunk->SetResident(first, pages, true);
  chunk->used_pages += static_cast<uint32_t>(pages);
  return {aligned, is_zero};
}

size_t PageHeap::PagesAt(uintptr_t address) {
  MutexLock lock(mutex);
  return UsedSpanAt(ChunkOf(address), address);
}

bool PageHeap::Free(uintptr_t address, uint64_t now) {
  MutexLock lock(mutex);
  PageChunk* chunk = ChunkOf(address);
  const size_t pages = UsedSpanAt(chunk, address);
  if (pages == 0) return false;
  const size_t first = chunk->PageOf(address);
  chunk->ClearTags(first, pages);
  chunk->used_pages -= static_cast<uint32_t>(pages);
  FreePages(chunk, first, pages, now);
  return true;
}

bool PageHeap::Resize(uintptr_t address, size_t pages, uint64_t now) {
  MutexLock lock(mutex);
  PageChunk* chunk = ChunkOf(address);
  const size_t old_pages = UsedSpanAt(chunk, address);
  if (old_pages == 0) return false;
  const size_t first = chunk->PageOf(address);
  if (pages > old_pages) {
    const size_t end = first + old_pages;
    const size_t more = pages - old_pages;
    if (end == kPagesPerChunk || chunk->SpanAt(end, State::kFree) < more) {
      return false;
    }
    FreeSpan* next = &chunk->free_spans[end];
    const size_t left = next->pages - more;
    RemoveFree(next);
    if (left != 0) InsertFree(chunk, end + more, left, next->freed_at);
    chunk->SetResident(end, more, true);
  }
  chunk->ClearTags(first, old_pages);
  chunk->SetTags(first, pages, State::kUsed);
  chunk->used_pages += static_cast<uint32_t>(pages - old_pages);
  if (pages < old_pages) {
    FreePages(chunk, first + pages, old_pages - pages, now);
  }
  return true;
}

size_t PageHeap::Purge(uint64_t now, bool force) {
  const uint64_t decay = options::Get(options::k_decay);
  size_t given_back = 0;
  MutexLock lock(mutex);
  while (FreeSpan* span = by_age.front()) {
    if (!force && now - span->freed_at < decay) break;
    PageChunk* chunk = span->chunk;
    const size_t first = span->first;
    const size_t pages = span->pages;
    RemoveFree(span);
    // Nobody's while the kernel works, so that the lock need not be held.
    chunk->SetTags(first, pages, State::kPurging);
    const PageRun run = WholeSystemPages(first, pages);
    mutex.Unlock();
    const bool purged =
        run.pages != 0 &&
        os::Purge(chunk->AddressOf(run.first), run.pages * kPageBytes) == 0;
    mutex.Lock();
    if (purged) {
      const size_t bytes =
          chunk->CountResident(run.first, run.pages) * kPageBytes;
      chunk->SetResident(run.first, run.pages, false);
      Count(Event::kPurge);
      Count(Event::kPurgedByte, bytes);
      given_back += bytes;
    }
    chunk->ClearTags(first, pages);
    FreePages(chunk, first, pages, now);
    if (!purged) break;  // try again at the next tick
  }
  return given_back;
}

PageTotals PageHeap::Totals() {
  PageTotals totals;
  MutexLock lock(mutex);
  for (PageChunk* chunk = held.front(); chunk != nullptr;
       chunk = held.Next(chunk)) {
    ++totals.chunks;
    totals.used_bytes += chunk->used_pages * kPageBytes;
    totals.committed_bytes +=
        chunk->CountResident(0, kPagesPerChunk) * kPageBytes;
  }
  return totals;
}

uintptr_t PageHeap::SpanAround(uintptr_t address) {
  MutexLock lock(mutex);
  PageChunk* chunk = ChunkOf(address);
  if (chunk == nullptr) return 0;
  for (size_t page = chunk->PageOf(address) + 1; page-- > 0;) {
    const size_t pages = chunk->SpanAt(page, State::kUsed);
    if (pages != 0) {
      return page + pages > chunk->PageOf(address) ? chunk->AddressOf(page) : 0;
    }
    if (chunk->tags[page].state == State::kFree) return 0;
  }
  return 0;
}

void PageHeap::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Lock();
  chunk_pool.LockForFork();
}

void PageHeap::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  chunk_pool.UnlockAfterFork();
  mutex.Unlock();
}

}  // namespace hakmem
