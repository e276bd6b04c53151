#include "backend/spans/page_heap.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/density.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/metadata.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_chunk.h"
#include "backend/spans/page_heap_metadata.h"
#include "base/intrusive_list.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "tracing/counters/counters.h"

namespace hakmem {
namespace {

using State = PageChunk::State;

// Times are CoarseMilliseconds modulo 2^32: differences are right for 24 days.
// Nothing gets older: after half as long an idle time, everything is purged.
constexpr uint64_t kLongIdle = uint64_t{1} << 30;

bool IsBefore(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) < 0;
}

constinit Mutex mutex;
constinit MetadataAllocator<PageChunk> chunk_pool;
constinit IntrusiveList<PageChunk, HeldPageChunksTag> held
    ABSL_GUARDED_BY(mutex);
constinit size_t held_count ABSL_GUARDED_BY(mutex) = 0;
// Where the next purge resumes; null when the last one was complete.
constinit PageChunk* resume_at ABSL_GUARDED_BY(mutex) = nullptr;
constinit Density density ABSL_GUARDED_BY(mutex);
// free_lists[n]: the free spans of n pages, with a bit for each non-empty list.
constinit IntrusiveList<FreeSpan>
    free_lists[kPagesPerChunk + 1] ABSL_GUARDED_BY(mutex);
constinit uint64_t lengths_in_use[kPagesPerChunk / 64 + 1] ABSL_GUARDED_BY(
    mutex) = {};
// When all that was due was last purged; CoarseMilliseconds.
constinit uint64_t last_purge ABSL_GUARDED_BY(mutex) = 0;
// Resident pages of all free spans.
constinit size_t dirty_pages ABSL_GUARDED_BY(mutex) = 0;

void AddDirty(size_t pages) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  dirty_pages += pages;
  DirtyBytes::SetSpans(dirty_pages * kPageBytes);
}

// Sum over all chunks; written under the lock. relaxed: a sum that orders
// nothing.
constinit std::atomic<size_t> used_pages{0};

// `pages` may be negative, modulo 2^64.
void AddUsed(PageChunk* chunk, size_t pages)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  chunk->used_pages += static_cast<uint32_t>(pages);
  used_pages.store(used_pages.load(std::memory_order_relaxed) + pages,
                   std::memory_order_relaxed);
}

// `resident` is the number of resident pages of the span.
inline void InsertFree(PageChunk* chunk, size_t first, size_t pages,
                       size_t resident, uint32_t freed_at)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const uint8_t slot = chunk->TakeSlot();
  FreeSpan* span = &chunk->free_spans[slot];
  span->chunk = chunk;
  span->freed_at = freed_at;
  span->first = static_cast<uint16_t>(first);
  span->resident = static_cast<uint16_t>(resident);
  chunk->SetTags(first, pages, State::kFree, slot);
  free_lists[pages].PushFront(span);
  lengths_in_use[pages / 64] |= uint64_t{1} << (pages % 64);
  if (span->resident == 0) return;
  AddDirty(span->resident);
  if (!chunk->has_resident || IsBefore(freed_at, chunk->resident_since)) {
    chunk->has_resident = true;
    chunk->resident_since = freed_at;
  }
}

// `span` has `pages` pages. Its fields are left unchanged.
inline void RemoveFree(FreeSpan* span, size_t pages)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  free_lists[pages].Remove(span);
  if (free_lists[pages].empty()) {
    lengths_in_use[pages / 64] &= ~(uint64_t{1} << (pages % 64));
  }
  if (span->resident != 0) AddDirty(-size_t{span->resident});
  span->chunk->ClearTags(span->first, pages);
  span->chunk->ReturnSlot(span);
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

// The newest chunk's address if nearly all of it is in use, as a sample for how
// to map the next one; else 0.
uintptr_t NewestFullChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const PageChunk* newest = held.back();
  return newest == nullptr || newest->used_pages < kPagesPerChunk / 8 * 7
             ? 0
             : newest->base;
}

bool AddChunk(ChunkSource::Use use) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  PageChunk* chunk = chunk_pool.Get();
  if (chunk == nullptr) return false;
  const ChunkSource::Allocation memory = ChunkSource::Allocate(use);
  if (memory.address == 0) {
    chunk_pool.Put(chunk);
    return false;
  }
  chunk->base = memory.address;
  chunk->kind = ChunkKind::kPages;
  chunk->is_dense = memory.is_dense;
  chunk->used_pages = 0;
  // It is not known how much used memory is resident: assume all. With huge
  // pages touching one byte makes all of it resident.
  const bool is_resident = !memory.is_zero || memory.is_dense;
  chunk->SetResident(0, kPagesPerChunk, is_resident);
  if (!Pagemap::SetChunk(memory.address, chunk)) {
    ChunkSource::Free(memory.address, memory.is_zero ? 0 : kChunkBytes, 0);
    chunk_pool.Put(chunk);
    return false;
  }
  held.PushBack(chunk);
  ++held_count;
  chunk->has_resident = false;
  std::fill(std::begin(chunk->unused_slots), std::end(chunk->unused_slots),
            ~uint64_t{0});
  InsertFree(chunk, 0, kPagesPerChunk, is_resident ? kPagesPerChunk : 0,
             static_cast<uint32_t>(RecentMilliseconds()));
  return true;
}

// Frees [first, first+pages), of which `resident` pages are resident and whose
// tags are cleared, and merges it with free neighbours. A wholly free chunk is
// returned to the chunk source. Returns whether it was.
bool FreePages(PageChunk* chunk, size_t first, size_t pages, size_t resident,
               uint32_t freed_at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  // The merged span takes the age of its part with the most resident pages: a
  // few pages allocated and freed repeatedly must not keep many others resident
  // for good.
  size_t most = resident;
  // Merges the neighbour with `tag`; returns its number of pages.
  const auto merge = [&](PageChunk::Tag tag) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    FreeSpan* span = &chunk->free_spans[tag.slot];
    pages += tag.pages;
    resident += span->resident;
    if (span->resident > most) {
      most = span->resident;
      freed_at = span->freed_at;
    }
    RemoveFree(span, tag.pages);
    return tag.pages;
  };
  if (const size_t end = first + pages; end < kPagesPerChunk) {
    const PageChunk::Tag next = chunk->TagAt(end);
    if (next.state == State::kFree) merge(next);
  }
  if (first > 0) {
    const PageChunk::Tag previous = chunk->TagAt(first - 1);
    if (previous.state == State::kFree) first -= merge(previous);
  }
  if (pages < kPagesPerChunk) {
    InsertFree(chunk, first, pages, resident, freed_at);
    return false;
  }
  if (resume_at == chunk) resume_at = held.Next(chunk);
  held.Remove(chunk);
  --held_count;
  Pagemap::SetChunk(chunk->base, nullptr);
  ChunkSource::Free(chunk->base, resident * kPageBytes, CoarseMilliseconds());
  chunk_pool.Put(chunk);
  return true;
}

// A free span of at least `room` pages, in a new chunk if necessary; null when
// the OS refuses. Releases the lock while the kernel looks at the newest chunk:
// others may add one meanwhile, or free that one.
FreeSpan* FindRoom(size_t room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (FreeSpan* span = BestFit(room)) return span;
  ChunkSource::Use use = ChunkSource::Use::kSparse;
  if (const uintptr_t newest = NewestFullChunk(); newest != 0) {
    mutex.Unlock();
    const bool is_dense = Density::IsDense(newest, kChunkBytes);
    mutex.Lock();
    if (FreeSpan* span = BestFit(room)) return span;
    if (density.WantsHugePages(is_dense)) use = ChunkSource::Use::kDense;
  }
  return AddChunk(use) ? BestFit(room) : nullptr;
}

// The whole system pages in a free span of `chunk`, as [first, first+pages):
// only those can be purged. None when system pages are larger.
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
  // With room for alignment; the rest at both ends stays free.
  const size_t room = pages + alignment / kPageBytes - 1;
  MutexLock lock(mutex);
  FreeSpan* span = FindRoom(room);
  if (span == nullptr) return {};
  PageChunk* chunk = span->chunk;
  const size_t span_first = span->first;
  const size_t span_pages = chunk->TagAt(span_first).pages;
  const size_t span_resident = span->resident;
  const uint32_t freed_at = span->freed_at;
  // Usually a free span is wholly resident or not at all; then so is each part.
  const bool all = span_resident == span_pages;
  const bool none = span_resident == 0;
  const auto resident_of = [&](size_t first_page, size_t n) -> size_t {
    return all ? n : none ? 0 : chunk->CountResident(first_page, n);
  };
  const uintptr_t start = chunk->AddressOf(span_first);
  const uintptr_t aligned = (start + alignment - 1) & ~(alignment - 1);
  const size_t first = chunk->PageOf(aligned);
  RemoveFree(span, span_pages);
  if (const size_t before = first - span_first; before != 0) {
    InsertFree(chunk, span_first, before, resident_of(span_first, before),
               freed_at);
  }
  const size_t end = first + pages;
  if (const size_t after = span_first + span_pages - end; after != 0) {
    InsertFree(chunk, end, after, resident_of(end, after), freed_at);
  }
  chunk->SetTags(first, pages, State::kUsed);
  const bool is_zero = resident_of(first, pages) == 0;
  if (!all) chunk->SetResident(first, pages, true);
  AddUsed(chunk, pages);
  return {aligned, is_zero};
}

size_t PageHeap::FreeSpanIn(State state, PagemapEntry entry, uint64_t now) {
  MutexLock lock(mutex);
  const size_t pages = PagesIn(entry, state);
  if (pages == 0) return 0;
  PageChunk* chunk = ChunkOf(entry);
  const size_t first = chunk->PageOf(entry.address);
  chunk->ClearTags(first, pages);
  AddUsed(chunk, -pages);
  FreePages(chunk, first, pages, pages, static_cast<uint32_t>(now));
  return pages;
}

size_t PageHeap::Free(PagemapEntry entry, uint64_t now) {
  return FreeSpanIn(State::kUsed, entry, now);
}

size_t PageHeap::FreeCached(PagemapEntry entry, uint64_t now) {
  return FreeSpanIn(State::kCached, entry, now);
}

bool PageHeap::Resize(PagemapEntry entry, size_t pages, uint64_t now) {
  MutexLock lock(mutex);
  const size_t old_pages = PagesAt(entry);
  if (old_pages == 0) return false;
  PageChunk* chunk = ChunkOf(entry);
  const size_t first = chunk->PageOf(entry.address);
  if (pages > old_pages) {
    const size_t end = first + old_pages;
    const size_t more = pages - old_pages;
    if (end == kPagesPerChunk || chunk->SpanAt(end, State::kFree) < more) {
      return false;
    }
    const PageChunk::Tag tag = chunk->TagAt(end);
    FreeSpan* next = &chunk->free_spans[tag.slot];
    const size_t left = tag.pages - more;
    RemoveFree(next, tag.pages);
    if (left != 0) {
      InsertFree(chunk, end + more, left,
                 chunk->CountResident(end + more, left), next->freed_at);
    }
    chunk->SetResident(end, more, true);
  }
  chunk->ClearTags(first, old_pages);
  chunk->SetTags(first, pages, State::kUsed);
  AddUsed(chunk, pages - old_pages);
  if (pages < old_pages) {
    FreePages(chunk, first + pages, old_pages - pages, old_pages - pages,
              static_cast<uint32_t>(now));
  }
  return true;
}

namespace {

// The first page of a free span of `chunk` with pages to purge at `now`;
// kPagesPerChunk, after updating the chunk's age, when there is none.
size_t FindDue(PageChunk* chunk, uint32_t now, uint32_t decay, bool force)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (!chunk->has_resident) return kPagesPerChunk;
  if (!force && IsBefore(now, chunk->resident_since + decay)) {
    return kPagesPerChunk;
  }
  chunk->has_resident = false;
  for (size_t page = 0; page < kPagesPerChunk;
       page += chunk->TagAt(page).pages) {
    const PageChunk::Tag tag = chunk->TagAt(page);
    if (tag.state != State::kFree) continue;
    const FreeSpan& span = chunk->free_spans[tag.slot];
    const PageRun run = WholeSystemPages(page, tag.pages);
    if (chunk->CountResident(run.first, run.pages) == 0) continue;
    const bool is_due = force || !IsBefore(now, span.freed_at + decay);
    if (is_due || !chunk->has_resident ||
        IsBefore(span.freed_at, chunk->resident_since)) {
      chunk->has_resident = true;
      chunk->resident_since = span.freed_at;
    }
    if (is_due) return page;
  }
  return kPagesPerChunk;
}

struct Purged {
  bool done;          // false: the kernel refused
  size_t bytes;       // bytes purged
  PageChunk* resume;  // where to resume
};

// Purges the free span of `chunk` that starts at `first`, without holding the
// lock while the kernel works: nobody can allocate the span meanwhile.
Purged PurgeSpan(PageChunk* chunk, size_t first)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const PageChunk::Tag tag = chunk->TagAt(first);
  const size_t pages = tag.pages;
  FreeSpan* span = &chunk->free_spans[tag.slot];
  const uint32_t freed_at = span->freed_at;
  RemoveFree(span, pages);
  chunk->SetTags(first, pages, State::kPurging);
  const PageRun run = WholeSystemPages(first, pages);
  const bool was_dense = chunk->is_dense;
  mutex.Unlock();
  const bool is_sparse = was_dense && ChunkSource::BecomeSparse(chunk->base);
  const int error =
      os::Purge(chunk->AddressOf(run.first), run.pages * kPageBytes);
  mutex.Lock();
  if (is_sparse) chunk->is_dense = false;
  size_t bytes = 0;
  if (error == 0) {
    bytes = chunk->CountResident(run.first, run.pages) * kPageBytes;
    chunk->SetResident(run.first, run.pages, false);
    Count(Event::kPurge);
    Count(Event::kPurgedByte, bytes);
  }
  chunk->ClearTags(first, pages);
  PageChunk* next = held.Next(chunk);
  const bool released = FreePages(chunk, first, pages,
                                  chunk->CountResident(first, pages), freed_at);
  return {error == 0, bytes, released ? next : chunk};
}

}  // namespace

size_t PageHeap::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  const auto decay = static_cast<uint32_t>(options::Get(options::k_decay));
  const auto when = static_cast<uint32_t>(now);
  size_t given_back = 0;
  MutexLock lock(mutex);
  const bool all = force || now > last_purge + kLongIdle;
  PageChunk* chunk = all ? nullptr : std::exchange(resume_at, nullptr);
  if (chunk == nullptr) chunk = held.front();
  while (chunk != nullptr) {
    const size_t due = FindDue(chunk, when, decay, all);
    const bool is_due = due != kPagesPerChunk;
    if (is_due ? PurgeBudget::IsSpent(budget)
               : PurgeBudget::IsSpentScanning(budget)) {
      resume_at = chunk;
      return given_back;
    }
    if (!is_due) {
      chunk = held.Next(chunk);
      continue;
    }
    const Purged purged = PurgeSpan(chunk, due);
    given_back += purged.bytes;
    if (!purged.done) return given_back;  // try again another time
    chunk = purged.resume;
  }
  last_purge = now;
  return given_back;
}

size_t PageHeap::UsedBytes() {
  return used_pages.load(std::memory_order_relaxed) * kPageBytes;
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
  const PageChunk* chunk = ChunkOf(PagemapEntry::At(address));
  if (chunk == nullptr) return 0;
  for (size_t page = chunk->PageOf(address) + 1; page-- > 0;) {
    const size_t pages = chunk->SpanAt(page, State::kUsed);
    if (pages != 0) {
      return page + pages > chunk->PageOf(address) ? chunk->AddressOf(page) : 0;
    }
    if (chunk->TagAt(page).state == State::kFree) return 0;
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

void PageHeap::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckPageHeap({held, held_count, free_lists, lengths_in_use, dirty_pages,
                 used_pages.load(std::memory_order_relaxed), chunk_pool},
                check);
}

}  // namespace hakmem
