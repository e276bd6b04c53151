// How a thread's cache comes to look at the clock although bins serve it: the
// two ways of watching (thread_cache.h), and when each begins and ends.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "base/os/clock.h"
#include "frontend/thread_cache/bins_switch.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"

namespace hakmem {
namespace {

// Free resident memory below this is left to chance: no thread watches for it.
constexpr size_t kWorthWatchingBytes = 256 << 10;
// A busy thread watches, by rations, from here on, or from an eighth of the
// memory in use on if that is more: for less it would pay too much.
constexpr size_t kWorthRationingBytes = size_t{8} << 20;
constexpr size_t kRationingPart = 8;

// A thread that bins serve begins to watch every call this often at most.
constexpr uint64_t kEveryCallEveryMs = 100;
// So many calls within one tick of the clock show that it is busy; so many
// looks, each for sixteen calls or fewer, that it still is.
constexpr uint32_t kBusyCalls = 512;
constexpr uint32_t kBusyLooks = 16;
// A ration is one block at first in each tick, and one more after so many: a
// thread that had much to do and now has little must not have many blocks left.
constexpr uint32_t kRationsPerGrowth = 8;

}  // namespace

bool ThreadCache::IsWorthRationing(size_t dirty) {
  return dirty > std::max(kWorthRationingBytes,
                          ChunkSource::BytesInUse() / kRationingPart);
}

// What other threads' reserves hold goes back when somebody looks.
bool ThreadCache::IsWorthWatching(size_t dirty) const {
  const size_t own = reserve_mark_.IsEmpty() ? 0 : 1;
  return dirty > kWorthWatchingBytes ||
         reserves_in_use_.load(std::memory_order_relaxed) > own;
}

void ThreadCache::ChooseWatch(uint64_t now) {
  const size_t dirty = DirtyBytes::Bytes();
  dirty_seen_ = dirty;
  const bool is_worth_it = IsWorthWatching(dirty);
  const bool is_new_tick = now != current_tick_;
  if (is_worth_it) AskOthersToLook(now, HowOften::kSeldom);
  switch (WatchNow()) {
    case Watch::kNone:
      if (is_worth_it && now - last_every_call_ >= kEveryCallEveryMs) {
        WatchEveryCall(now);
      } else if (IsWorthRationing(dirty)) {
        Ration();
      } else if (thread_tables.ForPush() != &Front() && !SeesEveryCall()) {
        ShowBins();  // events went off
      }
      return;
    case Watch::kRationed:
      if (!is_worth_it) return ShowBins();
      if (!is_new_tick) {
        ++calls_in_tick_;
      } else if (calls_in_tick_ < kBusyLooks) {
        WatchEveryCall(now);
      } else if (!IsWorthRationing(dirty * 2) &&
                 !std::exchange(was_asked_to_look_, false)) {
        ShowBins();
      } else {
        current_tick_ = now;
        calls_in_tick_ = 0;
        rations_in_tick_ = 0;
      }
      return;
    case Watch::kEveryCall:
      if (!is_worth_it) return ShowBins();
      if (is_new_tick) {
        current_tick_ = now;
        calls_in_tick_ = 0;
      } else if (++calls_in_tick_ > kBusyCalls) {
        // Who asked sees memory come free that may not have been counted yet.
        IsWorthRationing(dirty) || std::exchange(was_asked_to_look_, false)
            ? Ration()
            : ShowBins();
      }
      return;
  }
}

// Whether the thread makes few calls, as far as is known.
bool ThreadCache::IsQuiet(uint64_t now) const {
  return WatchNow() == Watch::kEveryCall &&
         (now != current_tick_ || calls_in_tick_ < kBusyLooks);
}

void ThreadCache::WatchEveryCall(uint64_t now) {
  ReturnRation();
  // A thread with little to do may wait for ever: all that it has can be
  // reached meanwhile.
  TakeBackVisible();
  watch_.store(Watch::kEveryCall, std::memory_order_relaxed);
  last_every_call_ = now;
  current_tick_ = now;
  calls_in_tick_ = 0;
  thread_tables.store(NoTables(), std::memory_order_relaxed);
}

void ThreadCache::ShowBins() {
  ReturnRation();
  RestoreLimits();
  watch_.store(Watch::kNone, std::memory_order_relaxed);
  UseTables({&Front(), &Front()});
}

// The rations are empty at first: the first malloc of each class, and the first
// free, look at the clock, whatever the thread did before.
void ThreadCache::Ration() {
  watch_.store(Watch::kRationed, std::memory_order_relaxed);
  calls_in_tick_ = kBusyLooks;  // in the tick that it begins in
  rations_in_tick_ = 0;
  ration_.window = bins_.window;
  ration_.checks = bins_.checks;
  ration_.class_of_units = bins_.class_of_units;
  BinTable& front = Front();
  for (size_t c = 0; c < kClassCount; ++c) {
    Bin& bin = front.bins[c];
    bin.SetLimit(std::min(FrontLimit(c), bin.top));
  }
  UseTables({&ration_, &front});
}

void ThreadCache::UseTables(TablePair tables) {
  ShowBinsUnless(&SeesEveryCall, thread_tables, tables, NoTables());
}

// Blocks that a class may take, or give back, before the next look.
uint32_t ThreadCache::NextRation() {
  return std::min(RationBins::kMostBlocks,
                  1 + rations_in_tick_++ / kRationsPerGrowth);
}

void ThreadCache::RationFrees(SizeClass c) {
  if (WatchNow() != Watch::kRationed) return;
  Bin& bin = Front().bins[Index(c)];
  bin.SetLimit(
      std::min(FrontLimit(Index(c)), bin.top + NextRation() * kSlotBytes));
}

void ThreadCache::RestoreLimits() {
  BinTable& front = Front();
  for (size_t c = 0; c < kClassCount; ++c) {
    front.bins[c].SetLimit(FrontLimit(c));
  }
}

void* ThreadCache::AllocateRationed(SizeClass c) {
  const size_t i = Index(c);
  if (HeldInRation(i) != 0) return ration_.Pop(c);
  uint32_t most = NextRation();
  if (KeepsReserve()) {
    // What a ration leaves is out of reach as well.
    most = std::min(most, std::max(GrowVisible(c), uint32_t{1}));
    TakeBackVisible(c, HeldVisible(i));
  }
  const BinsLock lock(*this);
  if (Held(i) == 0) RefillBin(c, UINT32_MAX);
  // A ration that is soon used up makes every few calls slow, so that blocks of
  // a class in use are fetched until there are enough. Mid blocks are few.
  if (!IsMid(c) && Held(i) < most) RefillBin(c, most - Held(i));
  const uint32_t count = std::min(Held(i), most);
  if (count == 0) return nullptr;
  Bin& bin = bins_.bins[i];
  bin.SetTop(bin.top - count * kSlotBytes);
  memcpy(&ration_.slots[i][1], bins_.SlotBelow(bin.top + kSlotBytes),
         count * kSlotBytes);
  ration_.bins[i].SetTop(RationBins::FirstOffset(i) + count * kSlotBytes);
  return ration_.Pop(c);
}

// Puts what is left of the rations back into the bins.
void ThreadCache::ReturnRation() {
  if (WatchNow() != Watch::kRationed) return;
  const BinsLock lock(*this);
  for (size_t i = 1; i < kClassCount; ++i) {
    const uint32_t count = HeldInRation(i);
    if (count == 0) continue;
    PutBack(ClassNumber(i), &ration_.slots[i][1], count);
    ration_.bins[i].SetTop(RationBins::FirstOffset(i));
  }
}

// While nothing but the number of calls has changed since the last look, that
// is counted, and no more is looked at.
void ThreadCache::LookBriefly() {
  if (++calls_ < kCallsPerLook && CoarseMilliseconds() == current_tick_) {
    ++calls_in_tick_;
  } else {
    LookAtClock();
  }
}

// --- Other threads -----------------------------------------------------------

// The owner's next free of any class comes to the slow path; it watches for a
// while, or goes on watching. For other threads; the caller holds the lock of
// the list.
void ThreadCache::AskToLook() {
  if (WatchNow() == Watch::kNone) {
    for (Bin& bin : Front().bins) bin.SetLimit(0);
  }
  // release: pairs with the acquire in TakeOverRequestToLook, which sets the
  // limits anew.
  is_asked_to_look_.store(true, std::memory_order_release);
}

void ThreadCache::TakeOverRequestToLook() {
  // acquire: pairs with the release in AskToLook.
  if (!is_asked_to_look_.load(std::memory_order_acquire)) return;
  is_asked_to_look_.store(false, std::memory_order_relaxed);
  was_asked_to_look_ = true;
  if (WatchNow() == Watch::kNone) RestoreLimits();
}

}  // namespace hakmem
