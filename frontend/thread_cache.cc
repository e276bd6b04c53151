#include "frontend/thread_cache.h"

#include <algorithm>
#include <cstring>

#include "ace/ace.h"
#include "ace_mode.h"
#include "backend/bad_free.h"
#include "base/options.h"
#include "frontend/in_use_check.h"
#include "frontend/without_cache.h"
#include "hardening/levels.h"
#include "tracing/counters.h"

namespace hakmem {
namespace {

// A bin's limit when its thread begins.
constexpr uint32_t kFirstSlots = 8;
constexpr uint32_t kFirstMidSlots = 2;
// And while it only ever runs full.
constexpr uint32_t kBatchBytes = 4096;
constexpr uint32_t kMostBatchSlots = 32;

// What a bin may grow to that only ever runs full: enough for batches.
constexpr uint32_t SlotsForOthersBlocks(SizeClass c) {
  return IsMid(c) ? kFirstMidSlots
                  : std::clamp(kBatchBytes / ClassBytes(c), kFirstSlots,
                               kMostBatchSlots);
}

// For a span or large block that is freed, in builds that can be asked to.
[[maybe_unused]] void ZeroIfAsked(uintptr_t address) {
  if (options::Get(options::k_zero_on_free) == 0) return;
  memset(reinterpret_cast<void*>(address), 0, Ace::BytesAt(address));
}

}  // namespace

// --- Misses ------------------------------------------------------------------

void* ThreadCache::Allocate(SizeClass c) {
  ThreadCache* cache = OfThisThread();
  return cache == nullptr ? WithoutCache::Allocate(c) : cache->AllocateHere(c);
}

void ThreadCache::Free(SizeClass c, void* block) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    WithoutCache::Free(c, block);
  } else {
    cache->FreeHere(c, block);
  }
}

void* ThreadCache::AllocateHere(SizeClass c) {
  Tick();
  if (void* block = bins_.Pop(c)) return block;
  // The bin is empty: half of what it may hold comes in one batch, so that
  // there is room for frees too.
  Grow(c, Bound::kEmpty);
  Bin& bin = bins_.bins[Index(c)];
  const uint32_t first = FirstOffset(Index(c));
  const uint32_t want = std::max(Limit(Index(c)) / 2, uint32_t{1});
  const uint32_t got = Refill(c, bins_.SlotBelow(first + kSlotBytes), want);
  Count(Event::kRefill);
  Count(Event::kRefilledBlock, got);
  bin.SetTop(first + got * kSlotBytes);
  return bins_.Pop(c);
}

void ThreadCache::FreeHere(SizeClass c, void* block) {
  Tick();
  if (!kQuarantinesFreed && bins_.Push(c, block)) return;
  CheckInUse(c, block);
  quarantine_.Add(c, block, [this](SizeClass its_class, void* released) {
    Keep(its_class, released);
  });
}

// Aborts when `block` is free, as far as this build can tell.
void ThreadCache::CheckInUse(SizeClass c, void* block) {
  if constexpr (kChecksFrees) return AbortUnlessInUse(c, block);
  if (*bins_.SlotBelow(bins_.bins[Index(c)].top) == block) {
    AbortOnDoubleFree(reinterpret_cast<uintptr_t>(block), ClassBytes(c));
  }
}

// Puts a block that was in use into its bin.
void ThreadCache::Keep(SizeClass c, void* block) {
  // Where nothing is checked, a bin that does not take a block is full.
  if (kChecksFrees && bins_.PushChecked(c, block)) return;
  // The bin is full: the older half goes back.
  Grow(c, Bound::kFull);
  if (bins_.PushChecked(c, block)) return;
  DrainOldest(c, (Held(Index(c)) + 1) / 2);
  bins_.PushChecked(c, block);
}

uint32_t ThreadCache::Refill(SizeClass c, void** blocks, uint32_t count) {
  return IsMid(c) ? Ace::Refill(c, blocks, count)
                  : LinkedBackend::Refill(heap_, c, blocks, count);
}

void ThreadCache::Drain(SizeClass c, void** blocks, uint32_t count) {
  if (IsMid(c)) return Ace::Drain(c, blocks, count);
  LinkedBackend::Drain(heap_, c, blocks, count);
}

// Blocks at the bottom were freed longest ago and are least likely in a cache.
void ThreadCache::DrainOldest(SizeClass c, uint32_t count) {
  Bin& bin = bins_.bins[Index(c)];
  const uint32_t top = bin.top;
  void** bottom = bins_.SlotBelow(FirstOffset(Index(c)) + kSlotBytes);
  Drain(c, bottom, count);
  Count(Event::kDrain);
  Count(Event::kDrainedBlock, count);
  std::copy(bottom + count, bins_.SlotBelow(top + kSlotBytes), bottom);
  bin.SetTop(top - count * kSlotBytes);
}

void ThreadCache::FlushAll() {
  quarantine_.Flush([this](SizeClass c, void* released) { Keep(c, released); });
  for (size_t c = 1; c < kClassCount; ++c) {
    if (const uint32_t held = Held(c)) DrainOldest(ClassNumber(c), held);
  }
  Ace::TrimBins(span_bins_, /*all=*/true);
}

void ThreadCache::FlushThisThread() {
  if (own_ != nullptr) own_->FlushAll();
}

// --- Spans and large blocks --------------------------------------------------

SpanAllocation ThreadCache::AllocateSpan(size_t bytes, size_t alignment,
                                         Ace::Contents contents) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    return WithoutCache::AllocateSpan(bytes, alignment, contents);
  }
  cache->Tick();
  return Ace::Allocate(bytes, alignment, contents, &cache->span_bins_);
}

void ThreadCache::FreeSpan(uintptr_t address) {
  if constexpr (kQuarantinesFreed) ZeroIfAsked(address);
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) return WithoutCache::FreeSpan(address);
  cache->Tick();
  Ace::Free(address, &cache->span_bins_);
}

uintptr_t ThreadCache::ResizeSpan(uintptr_t address, size_t bytes) {
  return WithoutCache::IsInEmergency() ? 0 : Ace::Resize(address, bytes);
}

// --- Limits ------------------------------------------------------------------

void ThreadCache::ApplyOptions() {
  if (own_ != nullptr) own_->SetMostSlots();
}

void ThreadCache::SetMostSlots() {
  const size_t bytes = options::Get(options::k_bin_bytes);
  for (size_t c = 0; c < kClassCount; ++c) {
    states_[c].most = BinSlots(ClassNumber(c), bytes);
  }
}

// Slots that the bin of class `c` starts with. Fixed bins have halfway between
// least and most, as factors go, for good.
uint32_t ThreadCache::FirstSlots(size_t c) const {
  const uint32_t most = states_[c].most;
  const uint32_t least =
      std::min(IsMid(ClassNumber(c)) ? kFirstMidSlots : kFirstSlots, most);
  if (kAceMode != AceMode::kFixed) return least;
  uint32_t halfway = least;
  while (halfway * halfway < least * most) ++halfway;
  return halfway;
}

void ThreadCache::Grow(SizeClass c, Bound bound) {
  BinState& state = states_[Index(c)];
  state.moved = true;
  const bool only_full = bound == Bound::kFull && state.last == Bound::kFull;
  state.last = bound;
  if (kAceMode == AceMode::kFixed) return;
  const uint32_t slots = Limit(Index(c));
  if (only_full && slots >= SlotsForOthersBlocks(c)) return;
  SetLimit(Index(c), std::min(slots * 2, state.most));
  if (Limit(Index(c)) > slots) Count(Event::kBinGrown);
}

void ThreadCache::SetLimit(size_t c, uint32_t slots) {
  if (IsMid(ClassNumber(c))) {
    const size_t block = ClassBytes(ClassNumber(c));
    const uint32_t before = Limit(c);
    const size_t others = mid_limit_bytes_ - before * block;
    // All mid bins together keep within the budget that span bins have too.
    if (kAceMode == AceMode::kAdaptive && slots > before &&
        others + slots * block > span_bins_.budget()) {
      return;
    }
    mid_limit_bytes_ = others + slots * block;
  }
  bins_.bins[c].limit = FirstOffset(c) + slots * kSlotBytes;
}

}  // namespace hakmem
