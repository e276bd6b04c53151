#include "ace/ace.h"

#include <algorithm>
#include <bit>

#include "ace/held_spans.h"
#include "ace/limit.h"
#include "ace/span_shards.h"
#include "ace_mode.h"
#include "backend/address_map.h"
#include "backend/large.h"
#include "backend/page_heap.h"
#include "backend/shared_slab_pools.h"
#include "backend/span_source.h"
#include "base/clock.h"
#include "base/options.h"
#include "tracing/failure_note.h"

namespace hakmem {
namespace {

// A type of its own: each has a pool of its own for its books.
struct MidSlab : Slab {};

constinit SharedSlabPools<MidSlab, kTinyClassCount, kClassCount> mid_pools;

void NoteLimit() {
  const size_t cached = SpanShards::HeldBytes();
  NoteExhaustion(AceLimit::Held() - cached, cached, AceLimit::Bytes());
}

// Reserves `bytes` of what the pool may hold, if need be by giving up what is
// cached for all.
bool Reserve(size_t bytes) {
  if (AceLimit::Reserve(bytes)) return true;
  SpanShards::EndEpoch(/*force=*/true);
  if (AceLimit::Reserve(bytes)) return true;
  NoteLimit();
  return false;
}

bool IsWithinWasteCap(size_t bytes, size_t rounded) {
  return (rounded - bytes) * 100 <=
         bytes * options::Get(options::k_ace_waste_percent);
}

// Pages of a span for `bytes`. With fixed classes, those of the base class:
// eight in each doubling.
size_t ClassPagesFor(size_t bytes) {
  const size_t pages = PagesFor(bytes);
  if (kAceMode != AceMode::kFixed || pages <= 16) return pages;
  const size_t step = std::bit_floor(pages - 1) / 8;
  const size_t rounded = (pages + step - 1) / step * step;
  return IsWithinWasteCap(bytes, rounded * kPageBytes) ? rounded : pages;
}

// What a thread's span bins may hold: a small part of what the pool does.
size_t BinBudget() {
  constexpr size_t kLeast = 512 << 10;
  return std::max(AceLimit::Held() / 32, kLeast);
}

uintptr_t TakeCached(size_t pages, SpanBins* bins) {
  if (bins == nullptr || pages > SpanBins::kMaxPages) {
    uintptr_t span;
    return SpanShards::Take(pages, 1, &span) == 1 ? span : 0;
  }
  if (const uintptr_t span = bins->Pop(pages)) return span;
  // Half a bin at once, so that a thread that only allocates what others free
  // takes the shard's lock now and then only.
  uintptr_t batch[SpanBins::kMostSpans];
  const uint32_t want = std::max(bins->Limit(pages) / 2, uint32_t{1});
  const uint32_t got = SpanShards::Take(pages, want, batch);
  if (got == 0) return 0;
  const size_t budget = BinBudget();
  for (uint32_t i = 1; i < got; ++i) {
    if (!bins->Push(pages, batch[i], budget)) HeldSpans::Return(&batch[i], 1);
  }
  return batch[0];
}

// Gives spans that no bin keeps to the shards, and what those do not keep back
// to the page heap.
void PassOn(size_t pages, const uintptr_t* spans, uint32_t count) {
  const uint32_t kept = SpanShards::Give(pages, spans, count);
  HeldSpans::Return(spans + kept, count - kept);
}

void FreeSpan(uintptr_t address, size_t pages, SpanBins* bins) {
  if (bins == nullptr || pages > SpanBins::kMaxPages) {
    return PassOn(pages, &address, 1);
  }
  const size_t budget = BinBudget();
  if (bins->Push(pages, address, budget)) return;
  // The older half goes, and makes room for this one.
  uintptr_t oldest[SpanBins::kMostSpans];
  const uint32_t count =
      bins->TakeOldest(pages, (bins->Count(pages) + 1) / 2, oldest);
  if (count != 0) PassOn(pages, oldest, count);
  if (count == 0 || !bins->Push(pages, address, budget)) {
    PassOn(pages, &address, 1);
  }
}

}  // namespace

SizeClass Ace::ClassFor(size_t bytes, size_t alignment) {
  if (kAceMode == AceMode::kOff || bytes > kMaxMidBytes)
    return SizeClass::kNone;
  const SizeClass c = alignment <= kBlockAlignment
                          ? MidClassOf(bytes)
                          : AlignedClassOf(bytes, alignment);
  return c != SizeClass::kNone && IsWithinWasteCap(bytes, ClassBytes(c))
             ? c
             : SizeClass::kNone;
}

uint32_t Ace::Refill(SizeClass c, void** blocks, uint32_t count) {
  const size_t bytes = ClassBytes(c);
  // Near the limit, one is better than none.
  if (!AceLimit::Reserve(bytes * count)) {
    if (!Reserve(bytes)) return 0;
    count = 1;
  }
  const uint32_t taken = mid_pools.Refill(c, blocks, count);
  if (taken != count) AceLimit::Release(bytes * (count - taken));
  return taken;
}

void Ace::Drain(SizeClass c, void* const* blocks, uint32_t count) {
  mid_pools.Drain(c, blocks, count);
  AceLimit::Release(size_t{ClassBytes(c)} * count);
}

const Slab* Ace::SlabAt(uintptr_t address) {
  return FindSlab<MidSlab>(address);
}

SpanAllocation Ace::Allocate(size_t bytes, size_t alignment, SpanBins* bins) {
  if (bytes > kMaxSpanBytes || alignment > kMaxSpanBytes) {
    return Large::Allocate(bytes, alignment);
  }
  const size_t pages = ClassPagesFor(std::max(bytes, size_t{1}));
  if (kAceMode != AceMode::kOff && alignment <= kPageBytes) {
    if (const uintptr_t span = TakeCached(pages, bins); span != 0) {
      PageHeap::MarkUsed(span, pages);
      return {span, false};
    }
  }
  if (!Reserve(pages * kPageBytes)) return {};
  return HeldSpans::Allocate(pages, std::max(alignment, kPageBytes));
}

size_t Ace::BytesAt(uintptr_t address) { return SpanSource::BytesAt(address); }

void Ace::Free(uintptr_t address, SpanBins* bins) {
  if (kAceMode == AceMode::kOff) {
    if (HeldSpans::FreeUsed(address) != 0) return;
  } else if (const size_t pages = PageHeap::MarkCached(address); pages != 0) {
    return FreeSpan(address, pages, bins);
  }
  SpanSource::Free(address, CoarseMilliseconds());
}

uintptr_t Ace::Resize(uintptr_t address, size_t bytes) {
  const size_t old_pages = PageHeap::PagesAt(address);
  if (old_pages == 0) {
    return SpanSource::Resize(address, bytes, CoarseMilliseconds());
  }
  if (bytes > kMaxSpanBytes) return 0;
  const size_t pages = ClassPagesFor(bytes);
  return HeldSpans::Resize(address, old_pages, pages) ? address : 0;
}

void Ace::TrimBins(SpanBins& bins, bool all) {
  for (size_t pages = 1; pages <= SpanBins::kMaxPages; ++pages) {
    const uint32_t unused = bins.EndEpoch(pages);
    const uint32_t count = all ? bins.Count(pages) : unused;
    if (count == 0) continue;
    uintptr_t spans[SpanBins::kMostSpans];
    HeldSpans::Return(spans, bins.TakeOldest(pages, count, spans));
  }
}

size_t Ace::Collect(uint64_t now, bool force) {
  SpanShards::EndEpoch(force);
  return mid_pools.Collect(now, force) + PageHeap::Purge(now, force);
}

Ace::Totals Ace::Sum() {
  const PageTotals pages = PageHeap::Totals();
  Totals totals;
  totals.slabs = mid_pools.Totals();
  totals.span_bytes = pages.used_bytes;
  totals.committed = pages.committed_bytes;
  totals.shared_cached = SpanShards::HeldBytes();
  totals.large_bytes = Large::BytesInUse();
  return totals;
}

void Ace::LockForFork() {
  mid_pools.LockForFork();
  SpanShards::LockForFork();
}

void Ace::UnlockAfterFork() {
  SpanShards::UnlockAfterFork();
  mid_pools.UnlockAfterFork();
}

}  // namespace hakmem
