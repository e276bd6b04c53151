#include "ace/ace.h"

#include <algorithm>
#include <bit>

#include "ace/central_span_cache.h"
#include "ace/limit.h"
#include "ace/mid_pools.h"
#include "backend/large/bad_address.h"
#include "backend/large/large.h"
#include "backend/slabs/shared_slab_pools_check.h"
#include "backend/spans/page_heap.h"
#include "base/build_config.h"
#include "base/os/clock.h"
#include "base/text/options.h"
#include "tracing/counters/unclassified_sizes.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

// Takes `bytes` more for the pool, by calling `take`, within its limit; if
// necessary after releasing the shared caches.
template <typename Take>
auto TakeWithinLimit(size_t bytes, Take&& take) {
  auto result = AceLimit::Within(bytes, take);
  if (result || AceLimit::Bytes() == SIZE_MAX) [[likely]] {
    return result;
  }
  CentralSpanCache::EndEpoch(/*force=*/true);
  // Overwritten if `take` fails for another reason.
  const size_t cached = CentralSpanCache::HeldBytes();
  NoteExhaustion(AceLimit::Held() - cached, cached, AceLimit::Bytes());
  return AceLimit::Within(bytes, take);
}

// A cached span of `pages`, or a slightly longer one.
ThreadSpanCache::Span TakeCachedSpan(size_t pages, size_t most,
                                     ThreadSpanCache* bins) {
  uintptr_t batch[ThreadSpanCache::kMaxSpans];
  if (bins == nullptr) {
    return CentralSpanCache::Take(pages, 1, batch) == 1
               ? ThreadSpanCache::Span{batch[0], pages}
               : ThreadSpanCache::Span{};
  }
  const ThreadSpanCache::OwnerLock lock(*bins);
  if (const ThreadSpanCache::Span cached = bins->Pop(pages, most);
      cached.address != 0) {
    return cached;
  }
  if (!bins->MissesFarExceedFrees(pages)) return {};
  // Half a bin at once, so that a thread that allocates what others free rarely
  // takes the list's lock.
  const uint32_t want = std::max(bins->Limit(pages) / 2, uint32_t{1});
  const uint32_t got = CentralSpanCache::Take(pages, want, batch);
  if (got == 0) return {};
  for (uint32_t i = 1; i < got; ++i) {
    if (!bins->Push(pages, batch[i])) {
      CentralSpanCache::Give(pages, &batch[i], 1);
    }
  }
  return {batch[0], pages};
}

// Caches a used span in `bins`. Returns false when they have no room.
[[gnu::always_inline]] inline bool CacheInBins(PagemapEntry span, size_t pages,
                                               ThreadSpanCache& bins) {
  const ThreadSpanCache::OwnerLock lock(bins);
  bins.NoteFree(pages);
  bool is_cached = bins.Push(pages, span.address);
  // Moves the older half out to make room for this one, which is still in the
  // CPU cache.
  if (!is_cached && bins.IsAtLimit(pages)) {
    uintptr_t oldest[ThreadSpanCache::kMaxSpans];
    const uint32_t count = (bins.Count(pages) + 1) / 2;
    bins.TakeOldest(pages, count, oldest);
    CentralSpanCache::Give(pages, oldest, count);
    is_cached = bins.Push(pages, span.address);
  }
  // Under the lock: another thread may take the span out right afterwards.
  if (is_cached) PageHeap::MarkCached(span, pages);
  return is_cached;
}

void CacheOrRelease(PagemapEntry span, size_t pages, ThreadSpanCache* bins) {
  if (bins == nullptr || !CacheInBins(span, pages, *bins)) {
    CentralSpanCache::GiveUsed(pages, span);
  }
}

void EndEpochOf(ThreadSpanCache& bins, bool all) {
  for (size_t pages = 1; pages <= ThreadSpanCache::kMaxPages; ++pages) {
    const uint32_t unused = bins.EndEpoch(pages);
    const uint32_t count = all ? bins.Count(pages) : unused;
    if (count == 0) continue;
    uintptr_t spans[ThreadSpanCache::kMaxSpans];
    bins.TakeOldest(pages, count, spans);
    CentralSpanCache::Give(pages, spans, count);
  }
}

}  // namespace

// Pages of a span for `bytes`. With fixed classes, those of the base class:
// eight per doubling.
size_t Ace::ClassPagesFor(size_t bytes) {
  const size_t pages = PagesFor(bytes);
  if (kAceMode != AceMode::kFixed || pages <= 16) return pages;
  const size_t step = std::bit_floor(pages - 1) / 8;
  const size_t rounded = (pages + step - 1) / step * step;
  return IsWithinWasteCap(bytes, rounded * kPageBytes) ? rounded : pages;
}

// The most pages that may serve `bytes` within the waste cap.
size_t Ace::MostPagesFor(size_t bytes) {
  const size_t waste = bytes * options::Get(options::k_ace_waste_percent) / 100;
  return std::max((bytes + waste) / kPageBytes, ClassPagesFor(bytes));
}

uint32_t Ace::Refill(SizeClass c, void** blocks, uint32_t count) {
  const auto take = [&](uint32_t n) {
    return TakeWithinLimit(size_t{ClassBytes(c)} * n,
                           [&] { return mid_pools.Refill(c, blocks, n); });
  };
  const uint32_t taken = take(count);
  // Near the limit, one is better than none. Without a limit the OS refused,
  // whatever the count.
  return taken == 0 && count > 1 && AceLimit::Bytes() != SIZE_MAX ? take(1)
                                                                  : taken;
}

void Ace::Drain(SizeClass c, void* const* blocks, uint32_t count) {
  mid_pools.Drain(c, blocks, count);
}

const Slab* Ace::SlabAt(uintptr_t address) {
  return FindSlab<MidSlab>(address);
}

void Ace::VisitSlabs(SlabVisitor visitor, void* argument) {
  mid_pools.VisitSlabs(visitor, argument);
}

size_t Ace::MidBlockBytes() { return mid_pools.BlockBytes(); }

SpanAllocation Ace::AllocateSpan(size_t bytes, size_t alignment,
                                 ThreadSpanCache* bins) {
  bytes = std::max(bytes, size_t{1});
  if (kAceMode != AceMode::kOff && bytes <= kMaxMidBytes)
    CountUnclassified(bytes);
  const size_t pages = ClassPagesFor(bytes);
  if (kAceMode != AceMode::kOff && alignment <= kPageBytes) {
    const size_t most =
        std::min(MostPagesFor(bytes), ThreadSpanCache::kMaxPages);
    const ThreadSpanCache::Span cached = TakeCachedSpan(pages, most, bins);
    if (cached.address != 0) {
      PageHeap::MarkUsed(cached.address, cached.pages);
      return {cached.address, false};
    }
  }
  return TakeWithinLimit(pages * kPageBytes, [&] {
    return PageHeap::Allocate(pages, std::max(alignment, kPageBytes));
  });
}

size_t Ace::BytesAt(PagemapEntry entry) {
  return entry.kind() == PagemapEntryKind::kSpan
             ? PageHeap::PagesAt(entry) * kPageBytes
             : Large::BytesAt(entry);
}

void Ace::FreeSpan(PagemapEntry entry, size_t pages, ThreadSpanCache* bins) {
  if (kAceMode != AceMode::kOff) return CacheOrRelease(entry, pages, bins);
  if (PageHeap::Free(entry, CoarseMilliseconds()) == 0) {
    AbortOnBadAddress(entry);
  }
}

void Ace::Free(PagemapEntry entry, ThreadSpanCache* bins) {
  if (const size_t pages = PageHeap::PagesAt(entry); pages != 0) {
    return FreeSpan(entry, pages, bins);
  }
  if (kAceMode != AceMode::kOff && Large::Cache(entry, CoarseMilliseconds())) {
    return;
  }
  if (!Large::Free(entry)) AbortOnBadAddress(entry);
}

Ace::Resized Ace::Resize(PagemapEntry entry, size_t bytes) {
  if (entry.kind() != PagemapEntryKind::kSpan) {
    return bytes <= kMaxSpanBytes ? Resized{} : Large::Resize(entry, bytes);
  }
  const size_t old_pages = PageHeap::PagesAt(entry);
  if (old_pages == 0 || bytes == 0 || bytes > kMaxSpanBytes) return {};
  const size_t pages = ClassPagesFor(bytes);
  const size_t more = pages > old_pages ? pages - old_pages : 0;
  const bool done = AceLimit::Within(more * kPageBytes, [&] {
    return PageHeap::Resize(entry, pages, CoarseMilliseconds());
  });
  return done ? Resized{entry.address} : Resized{};
}

void Ace::TrimBins(ThreadSpanCache& bins, bool all) {
  const ThreadSpanCache::OwnerLock lock(bins);
  EndEpochOf(bins, all);
}

bool Ace::FlushBinsOfOtherThread(ThreadSpanCache& bins) {
  return bins.TryFromOtherThread([&] {
    EndEpochOf(bins, /*all=*/true);
    bins.PurgeSlotArrays();
  });
}

void Ace::EndEpoch(uint64_t now, bool force) {
  CentralSpanCache::EndEpoch(force);
  mid_pools.EndEpoch(now, force);
}

size_t Ace::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  return mid_pools.Purge(now, force, budget) +
         PageHeap::Purge(now, force, budget) + Large::Purge(now, force, budget);
}

size_t Ace::PurgeInside(const InnerPurge& purge) {
  return mid_pools.PurgeInside(purge);
}

size_t Ace::Collect(uint64_t now, bool force) {
  EndEpoch(now, force);
  const size_t inside =
      PurgeInside({InnerPurge::DueOrAll(force), now, nullptr});
  return inside + Purge(now, force, nullptr);
}

Ace::Totals Ace::Sum() {
  const PageTotals pages = PageHeap::Totals();
  Totals totals;
  totals.slabs = mid_pools.Totals();
  totals.span_bytes = pages.used_bytes;
  totals.committed = pages.committed_bytes;
  totals.shared_cached = CentralSpanCache::HeldBytes();
  totals.large_bytes = Large::BytesInUse();
  totals.large_blocks = Large::BlocksInUse();
  totals.large_cached = Large::BytesCached();
  return totals;
}

void Ace::LockForFork() {
  CentralSpanCache::LockForFork();
  AceLimit::LockForFork();
  mid_pools.LockForFork();
}

void Ace::UnlockAfterFork() {
  mid_pools.UnlockAfterFork();
  AceLimit::UnlockAfterFork();
  CentralSpanCache::UnlockAfterFork();
}

void Ace::VerifyInvariants(HeapVerifier& check) {
  mid_pools.VerifyInvariants(check);
  CentralSpanCache::VerifyInvariants(check);
}

void Ace::VisitShared(void (*visit)(uintptr_t span, void* argument),
                      void* argument) {
  CentralSpanCache::VisitSpans(visit, argument);
}

}  // namespace hakmem
