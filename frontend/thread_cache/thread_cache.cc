#include "frontend/thread_cache/thread_cache.h"

#include <algorithm>
#include <cstring>

#include "ace/ace.h"
#include "backend/errors/error_reporting.h"
#include "backend/memory/dirty_bytes.h"
#include "base/build_config.h"
#include "base/text/options.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/in_use_check.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/shelves.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"
#include "hardening/levels.h"
#include "tracing/counters/counters.h"

namespace hakmem {
namespace {

// A bin's limit when its thread begins.
constexpr uint32_t kFirstSlots = 8;
constexpr uint32_t kFirstMidSlots = 2;

// After so many batches in one direction a bin passes them on, or takes them,
// by the shelf of its class. Fewer happen by chance: threads that replace
// blocks at random left a MiB on shelves that would have served others.
constexpr uint8_t kRepeatsToPassOn = 8;

// Growth of free resident memory since the last look at the clock that calls
// for another.
constexpr size_t kGrowthPerPoll = size_t{1} << 20;

// Zeros a span or large block on free, in builds with that option.
[[maybe_unused]] void ZeroIfAsked(PagemapEntry entry) {
  if (options::Get(options::k_zero_on_free) == 0) return;
  memset(reinterpret_cast<void*>(entry.address), 0, Ace::BytesAt(entry));
}

}  // namespace

// --- Misses ------------------------------------------------------------------

void* ThreadCache::Allocate(SizeClass c) {
  ThreadCache* cache = OfThisThreadForBlock();
  return cache == nullptr ? FallbackHeap::Allocate(c) : cache->AllocateHere(c);
}

void ThreadCache::Free(SizeClass c, void* block) {
  ThreadCache* cache = OfThisThreadForBlock();
  if (cache == nullptr) {
    FallbackHeap::Free(c, block);
  } else {
    cache->FreeHere(c, block);
  }
}

void* ThreadCache::AllocateHere(SizeClass c) {
  Tick();
  if (states_[Index(c)].is_hidden) [[unlikely]]
    ShowToMalloc(c);
  if (KeepsReserve()) return AllocateWithReserve(c);
  if (UsesRation()) return AllocateRationed(c);
  // The bin may hold blocks: a thread that watches every call does not use it,
  // and a new-handler may have freed some.
  return Held(Index(c)) != 0 ? bins_.Pop(c) : RefillAndTake(c);
}

// For an empty bin: one batch fetches half of what it may hold, which leaves
// room for frees; the program gets the last block.
void* ThreadCache::RefillAndTake(SizeClass c) {
  if (RefillBin(c, UINT32_MAX) == 0) return nullptr;
  Bin& bin = bins_.bins[Index(c)];
  void* block = *bins_.SlotBelow(bin.top);
  bin.SetTop(bin.top - kSlotBytes);
  bins_.checks.Unmark(block);
  return block;
}

// Adds half of what the bin of `c` may hold, but at most `most` blocks; the bin
// holds less than that. Returns how many.
uint32_t ThreadCache::RefillBin(SizeClass c, uint32_t most) {
  Grow(c, Bound::kEmpty);
  Bin& bin = bins_.bins[Index(c)];
  const uint32_t want =
      std::min(std::max(Limit(Index(c)) / 2, uint32_t{1}), most);
  void** blocks = bins_.SlotBelow(bin.top + kSlotBytes);
  uint32_t got = 0;
  if (UsesShelf(c)) got = Shelves::Take(c, blocks, want);
  if (got == 0) got = Refill(c, blocks, want);
  Count(Event::kRefill);
  Count(Event::kRefilledBlock, got);
  // The back-end may have found wholly free pages meanwhile.
  if (got != 0) retry_gate.Open();
  bin.SetTop(bin.top + got * kSlotBytes);
  return got;
}

void ThreadCache::FreeHere(SizeClass c, void* block) {
  Tick();
  if (!kQuarantinesFreed &&
      Front().PushWithin(FrontLimit(Index(c)), c, block)) {
    return RationFrees(c);
  }
  CheckInUse(c, block);
  quarantine_.Add(c, block, [this](SizeClass its_class, void* released) {
    Keep(its_class, released);
  });
  NoteReserveUse();
  RationFrees(c);
}

// Aborts when `block` is free, as far as this build can tell.
void ThreadCache::CheckInUse(SizeClass c, void* block) {
  if constexpr (kChecksFrees) return AbortUnlessInUse(c, block);
  BinTable& front = Front();
  if (*front.SlotBelow(front.bins[Index(c)].top) == block) {
    AbortOnDoubleFree(reinterpret_cast<uintptr_t>(block), ClassBytes(c));
  }
}

// Puts a block that was in use into its bin.
void ThreadCache::Keep(SizeClass c, void* block) {
  KeepsReserve() ? KeepInReserve(c, block) : KeepInBins(c, block);
}

void ThreadCache::KeepInBins(SizeClass c, void* block) {
  const uint32_t& limit = states_[Index(c)].limit;
  // Without checks, a bin that does not take a block is full.
  if (kChecksFrees && bins_.PushChecked(limit, c, block)) return;
  // The bin is full: return the older half, or all where none would be taken.
  const bool only_full = Grow(c, Bound::kFull);
  if (bins_.PushChecked(limit, c, block)) return;
  const uint32_t held = Held(Index(c));
  if (!only_full || held > BatchSlots(c)) {
    DrainOldest(c, (held + 1) / 2);
  } else if (!UsesShelf(c) || !PutOnShelf(c, held)) {
    DrainOldest(c, held);
  }
  bins_.PushChecked(limit, c, block);
}

// Leaves all blocks of the bin for a thread that needs them, if any does.
bool ThreadCache::PutOnShelf(SizeClass c, uint32_t held) {
  const uint32_t first = FirstOffset(Index(c));
  if (!Shelves::Put(c, bins_.SlotBelow(first + kSlotBytes), held)) return false;
  bins_.bins[Index(c)].SetTop(first);
  return true;
}

// Whether the bin only ever runs full, or only ever empty. Mid blocks are few,
// and not passed on in batches.
bool ThreadCache::UsesShelf(SizeClass c) const {
  return states_[Index(c)].repeats >= kRepeatsToPassOn && !IsMid(c) &&
         !kShufflesBlocks;
}

uint32_t ThreadCache::Refill(SizeClass c, void** blocks, uint32_t count) {
  return IsMid(c) ? Ace::Refill(c, blocks, count)
                  : LinkedBackend::Refill(heap_, c, blocks, count);
}

void ThreadCache::Drain(SizeClass c, void** blocks, uint32_t count) {
  IsMid(c) ? Ace::Drain(c, blocks, count)
           : LinkedBackend::Drain(heap_, c, blocks, count);
  retry_gate.Open();
}

// Pushes free blocks onto their bin, within its limit; the oldest in the bin
// make room.
void ThreadCache::PutBack(SizeClass c, void** blocks, uint32_t count) {
  const size_t i = Index(c);
  const uint32_t room = Limit(i);
  if (Held(i) + count > room) {
    DrainOldest(c, std::min(Held(i), Held(i) + count - room));
  }
  Bin& bin = bins_.bins[i];
  const uint32_t kept = std::min(count, room - Held(i));
  memcpy(bins_.SlotBelow(bin.top + kSlotBytes), blocks, kept * kSlotBytes);
  bin.SetTop(bin.top + kept * kSlotBytes);
  if (kept != count) Drain(c, blocks + kept, count - kept);
}

// Blocks at the bottom were freed longest ago and are least likely in a CPU
// cache.
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
  ReturnRation();
  TakeBackVisible();
  {
    const BinsLock lock(*this);
    for (size_t c = 1; c < kClassCount; ++c) {
      if (const uint32_t held = Held(c)) DrainOldest(ClassNumber(c), held);
    }
  }
  Ace::TrimBins(span_cache_, /*all=*/true);
  retry_gate.Open();
}

void ThreadCache::FlushThisThread() {
  if (own_ != nullptr) own_->FlushAll();
}

bool ThreadCache::ThisThreadHoldsBlocks() {
  if (own_ == nullptr) return false;
  uint32_t held = 0;
  for (size_t c = 1; c < kClassCount; ++c) {
    held += own_->HeldInAll(c);
  }
  return held != 0 || own_->span_cache_.held_bytes() != 0 ||
         own_->quarantine_.tiny_bytes() + own_->quarantine_.mid_bytes() != 0;
}

// --- Spans and large blocks --------------------------------------------------

SpanAllocation ThreadCache::AllocateSpan(size_t bytes, size_t alignment) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) return FallbackHeap::AllocateSpan(bytes, alignment);
  cache->TickForSpan();
  const SpanAllocation span =
      Ace::AllocateSpan(bytes, alignment, &cache->span_cache_);
  cache->NoteReserveUse();
  return span;
}

SpanAllocation ThreadCache::AllocateLarge(size_t bytes, size_t alignment,
                                          Ace::Contents contents) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    return FallbackHeap::AllocateLarge(bytes, alignment, contents);
  }
  cache->TickForSpan();
  return Ace::AllocateLarge(bytes, alignment, contents);
}

void ThreadCache::FreeSpanOrLarge(PagemapEntry entry) {
  if constexpr (kQuarantinesFreed) ZeroIfAsked(entry);
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) return FallbackHeap::FreeSpanOrLarge(entry);
  cache->TickForSpan();
  Ace::Free(entry, &cache->span_cache_);
  cache->NoteReserveUse();
  retry_gate.Open();
  // It may be the thread's last call for a long time: do not let much memory
  // wait for sixteen more.
  if (DirtyBytes::Bytes() > cache->dirty_seen_ + kGrowthPerPoll) {
    cache->PollClock();
  }
}

Ace::Resized ThreadCache::ResizeSpanOrLarge(PagemapEntry entry, size_t bytes) {
  if (FallbackHeap::IsInEmergency()) return {};
  const Ace::Resized resized = Ace::Resize(entry, bytes);
  if (resized) retry_gate.Open();
  return resized;
}

// --- Limits ------------------------------------------------------------------

void ThreadCache::ApplyOptions() {
  if (own_ == nullptr) return;
  own_->UseOptions();
  // Tables in use have copies of the classes.
  if (own_->UsesRation()) own_->PrepareTable(own_->RationTable());
  if (own_->KeepsReserve()) own_->PrepareTable(own_->visible_);
}

// Call when the cache begins.
void ThreadCache::HideFromMalloc() {
  for (size_t c = 0; c < kClassCount; ++c) {
    states_[c].is_hidden = MayShareLines(ClassNumber(c));
  }
}

// Call at the thread's first request of a class that is hidden. What the thread
// has freed of it until now others have allocated.
void ThreadCache::ShowToMalloc(SizeClass c) {
  const size_t i = Index(c);
  states_[i].is_hidden = false;
  EnterHidden(bins_);
  if (UsesRation()) EnterHidden(RationTable());
  if (KeepsReserve()) EnterHidden(visible_);
  TakeBackVisible(c, HeldVisible(i));
  const BinsLock lock(*this);
  if (const uint32_t held = Held(i)) DrainOldest(c, held);
  if (KeepsReserve()) return;
  Bin& bin = bins_.bins[i];
  const uint32_t got = LinkedBackend::RefillApart(
      heap_, c, bins_.SlotBelow(bin.top + kSlotBytes), Limit(i) / 2);
  bin.SetTop(bin.top + got * kSlotBytes);
  Count(Event::kRefill, got != 0);
  Count(Event::kRefilledBlock, got);
}

bool ThreadCache::HasTheseOptions() const {
  return bin_bytes_ == options::Get(options::k_bin_bytes) &&
         waste_percent_ == options::Get(options::k_ace_waste_percent);
}

void ThreadCache::UseOptions() {
  const size_t bytes = options::Get(options::k_bin_bytes);
  bin_bytes_ = bytes;
  waste_percent_ = options::Get(options::k_ace_waste_percent);
  for (size_t c = 0; c < kClassCount; ++c) {
    states_[c].most = BinSlots(ClassNumber(c), bytes);
  }
  bins_.class_of_units = internal::kClassTables.of_units;
  // Sizes that may not have a class must not find its bin: the smallest of each
  // mid class, in units whose smallest may not.
  for (size_t c = kTinyClassCount; c < kClassCount; ++c) {
    size_t bytes = ClassBytes(ClassNumber(c - 1)) + 1;
    for (; bytes <= ClassBytes(ClassNumber(c)) &&
           Ace::ClassFor(bytes, kBlockAlignment) == SizeClass::kNone;
         bytes += kBlockAlignment) {
      bins_.class_of_units[UnitsOf(bytes)] = 0;
    }
  }
  EnterHidden(bins_);
}

// Leads the sizes of hidden classes to no bin, and those of others to theirs.
void ThreadCache::EnterHidden(BinTable& table) const {
  for (size_t unit = 0; unit < kCacheLineBytes / kBlockAlignment; ++unit) {
    const uint8_t c = internal::kClassTables.of_units[unit];
    table.class_of_units[unit] = states_[c].is_hidden ? uint8_t{0} : c;
  }
}

// Whether a cache line may hold parts of several blocks. Not for larger ones,
// of which a line holds two at most.
bool ThreadCache::MayShareLines(SizeClass c) {
  return ClassBytes(c) < kCacheLineBytes;
}

// Slots that the bin of class `c` starts with. Fixed bins keep the geometric
// mean of least and most.
uint32_t ThreadCache::FirstSlots(size_t c) const {
  const uint32_t most = states_[c].most;
  const uint32_t least =
      std::min(IsMid(ClassNumber(c)) ? kFirstMidSlots : kFirstSlots, most);
  if (kAceMode != AceMode::kFixed) return least;
  uint32_t halfway = least;
  while (halfway * halfway < least * most) ++halfway;
  return halfway;
}

// Call when a bin ran empty or full: gives it more slots, unless it only ever
// runs full. Returns whether it ran full the last time, too.
bool ThreadCache::Grow(SizeClass c, Bound bound) {
  BinState& state = states_[Index(c)];
  state.was_active = true;
  const bool only_full = bound == Bound::kFull && state.last == Bound::kFull;
  state.repeats = state.last != bound ? uint8_t{0}
                  : state.repeats < kRepeatsToPassOn
                      ? static_cast<uint8_t>(state.repeats + 1)
                      : state.repeats;
  state.last = bound;
  if (kAceMode == AceMode::kFixed) return only_full;
  const uint32_t slots = Limit(Index(c));
  if (only_full && slots >= BatchSlots(c)) return true;
  const uint32_t most =
      only_full ? std::min(BatchSlots(c), state.most) : state.most;
  SetLimit(Index(c), std::min(slots * 2, most));
  if (Limit(Index(c)) > slots) Count(Event::kBinGrown);
  return only_full;
}

// Returns what bins hold beyond a batch, and lowers their limits to that.
void ThreadCache::TrimToBatches() {
  const BinsLock lock(*this);
  for (size_t i = 1; i < kClassCount; ++i) {
    const SizeClass c = ClassNumber(i);
    const uint32_t most = BatchSlots(c);
    if (Held(i) > most) DrainOldest(c, Held(i) - most);
    if (kAceMode != AceMode::kFixed && Limit(i) > most) SetLimit(i, most);
  }
}

void ThreadCache::SetLimit(size_t c, uint32_t slots) {
  if (IsMid(ClassNumber(c))) {
    const size_t block = ClassBytes(ClassNumber(c));
    const uint32_t before = Limit(c);
    const size_t others = mid_limit_bytes_ - before * block;
    if (kAceMode == AceMode::kAdaptive && slots > before) {
      const size_t room = mid_budget_ - std::min(mid_budget_, others);
      slots = std::max(before,
                       std::min(slots, static_cast<uint32_t>(room / block)));
    }
    mid_limit_bytes_ = others + slots * block;
  }
  states_[c].limit = FirstOffset(c) + slots * kSlotBytes;
  bins_.bins[c].SetLimit(states_[c].limit);
}

}  // namespace hakmem
