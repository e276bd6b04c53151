// The reserve: the blocks of a thread that others may take while it waits
// (thread_cache.h).
//
//   malloc, free      visible_   a few blocks of a class     the owner alone
//   slow paths        bins_      the reserve                 under a lock
//                     back-end
//
// A thread that starts beside fewer than kFewPerProcessor others per processor
// counts as busy and uses its bins. Any other starts with next to nothing
// visible until it is busy. A busy thread among many gets more visible blocks
// instead of its bins. A thread that was idle for the decay time is not busy
// any more.
#include <algorithm>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "ace/ace.h"
#include "backend/errors/error_reporting.h"
#include "base/os/os_memory.h"
#include "base/os/processors.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"
#include "hardening/levels.h"

namespace hakmem {
namespace {

// This many slow calls in an epoch show that a thread is busy. Fewer cost next
// to nothing, whatever each of them costs.
constexpr uint32_t kBusySlowCalls = 16384;

// A thread that begins beside fewer than kFewPerProcessor others per processor
// is taken for busy: it may end before it could show that it is (Larson's
// server simulation took 1.6 times its time otherwise). From kManyPerProcessor
// threads per processor on, most must wait, and busy ones get less as well:
// with small bins random-mixed on 64 threads took 1.5 times its time.
constexpr size_t kFewPerProcessor = 4;
constexpr size_t kManyPerProcessor = 128;

// The most bytes visible of a busy thread among many. With more than
// kCrowdPerProcessor threads per processor it falls by the square: they share
// what that many may have, and more of them wait at any time.
constexpr size_t kMaxVisibleBytes = size_t{128} << 10;
constexpr size_t kCrowdPerProcessor = 32;
// Of all threads together that are not busy.
constexpr size_t kMaxVisibleOfQuiet = size_t{64} << 10;

// The most bytes in a thread's reserve, and of all threads' together unless
// these are so many that each could keep less than kLeastReserved.
constexpr size_t kMostReserved = size_t{1} << 20;
constexpr size_t kMostReservedOfAll = size_t{16} << 20;
constexpr size_t kLeastReserved = size_t{16} << 10;

// Slots of a class that may be visible, and how many are at first. A slot
// counts for at least kMinSlotBytes: a small block keeps a page resident, but
// shares it with others.
constexpr size_t kVisibleTinyBytes = 2048;
constexpr size_t kMinVisibleTiny = 4;
constexpr size_t kVisibleMidBytes = 8192;
constexpr uint32_t kFirstVisible = 2;
constexpr size_t kMinSlotBytes = 256;

uint32_t MostVisibleSlots(SizeClass c) {
  const size_t bytes = ClassBytes(c);
  return static_cast<uint32_t>(
      IsMid(c) ? std::clamp<size_t>(kVisibleMidBytes / bytes, 1, 2)
               : std::clamp<size_t>(kVisibleTinyBytes / bytes, kMinVisibleTiny,
                                    RationBins::kMaxBlocks));
}

bool AreMany(size_t threads) {
  return threads >= kManyPerProcessor * Processors();
}

// The most bytes that one of `threads` threads may have visible.
size_t MostVisibleBytes(size_t threads, bool is_busy) {
  if (!is_busy) return kMaxVisibleOfQuiet / std::max<size_t>(threads, 1);
  const size_t crowd = kCrowdPerProcessor * Processors();
  if (threads <= crowd) return kMaxVisibleBytes;
  return kMaxVisibleBytes * (crowd * crowd) / (threads * threads);
}

}  // namespace

bool ThreadCache::BeginsBusy(size_t others) {
  return others < kFewPerProcessor * Processors();
}

// Call at each look at the clock.
void ThreadCache::NoteSlowCalls() {
  slow_calls_ += WatchNow() == Watch::kEveryCall ? 1 : kCallsPerPoll;
  if (is_busy_ || slow_calls_ < kBusySlowCalls) return;
  is_busy_ = true;
  SetMostVisible();
}

// Begins or ends the reserve; returns whether it did. Then the thread must
// choose its tables. A thread that is alone needs none.
bool ThreadCache::UpdateReserve() {
  const size_t threads = count_.load(std::memory_order_relaxed);
  if (threads > 1 && !span_cache_.is_shared()) span_cache_.Share();
  LinkedBackend::SetQuiet(heap_, threads > 1 && !is_busy_);
  const bool needs_reserve = threads > 1 && (!is_busy_ || AreMany(threads));
  if (needs_reserve == KeepsReserve()) return false;
  ReturnRation();
  needs_reserve ? BeginReserve() : EndReserve();
  return true;
}

void ThreadCache::ChooseReserve() {
  if (!UpdateReserve()) return;
  switch (WatchNow()) {
    case Watch::kNone:
      return ShowBins();
    case Watch::kRationed:
      return Ration();
    case Watch::kEveryCall:
      return;
  }
}

void ThreadCache::SetMostVisible() {
  const size_t threads = count_.load(std::memory_order_relaxed);
  most_visible_bytes_ =
      static_cast<uint32_t>(MostVisibleBytes(threads, is_busy_));
  most_reserved_bytes_ = static_cast<uint32_t>(
      std::clamp(kMostReservedOfAll / std::max<size_t>(threads, 1),
                 kLeastReserved, kMostReserved));
}

// Makes bins_ the reserve; nothing is visible at first.
void ThreadCache::BeginReserve() {
  PrepareTable(visible_);
  for (size_t c = 0; c < kClassCount; ++c) {
    visible_slots_[c] = 0;
    visible_.bins[c].SetTop(RationBins::FirstOffset(c));
    visible_.bins[c].SetLimit(RationBins::FirstOffset(c));
  }
  visible_bytes_ = 0;
  may_reserve_bytes_ = 0;
  SetMostVisible();
  {
    MutexLock lock(reserve_mutex_);
    keeps_reserve_.store(true, std::memory_order_relaxed);
  }
  NoteReserveUse();
}

void ThreadCache::EndReserve() {
  TakeBackVisible();
  {
    MutexLock lock(reserve_mutex_);
    keeps_reserve_.store(false, std::memory_order_relaxed);
  }
}

void* ThreadCache::AllocateWithReserve(SizeClass c) {
  void* block = UsesRation() ? AllocateRationed(c) : AllocateFromReserve(c);
  NoteReserveUse();
  return block;
}

// Fetches blocks from the reserve: half of what may be visible, which leaves
// room for frees.
void* ThreadCache::AllocateFromReserve(SizeClass c) {
  if (void* block = visible_.Pop(c)) return block;
  const size_t i = Index(c);
  const uint32_t more = GrowVisible(c) / 2;
  const BinsLock lock(*this);
  const bool is_empty = Held(i) == 0;
  if (is_empty) {
    // Not more than the bound allows, lest it be returned at once.
    RefillBin(c, std::max(may_reserve_bytes_ / 2 / ClassBytes(c), uint32_t{1}));
  }
  void* block = bins_.Pop(c);
  const uint32_t count = std::min(more, Held(i));
  if (count != 0) {
    Bin& bin = bins_.bins[i];
    bin.SetTop(bin.top - count * kSlotBytes);
    memcpy(&visible_.slots[i][1], bins_.SlotBelow(bin.top + kSlotBytes),
           count * kSlotBytes);
    visible_.bins[i].SetTop(RationBins::FirstOffset(i) + count * kSlotBytes);
  }
  if (is_empty) NoteReserved(Held(i) * size_t{ClassBytes(c)});
  return block;
}

// Stores a freed block that the visible bin did not take.
void ThreadCache::KeepInReserve(SizeClass c, void* block) {
  const size_t i = Index(c);
  const uint32_t slots = GrowVisible(c);
  // The bin is full: return the older half.
  if (HeldVisible(i) >= slots) TakeBackVisible(c, (HeldVisible(i) + 1) / 2);
  if (!visible_.PushChecked(FrontLimit(i), c, block)) {
    const BinsLock lock(*this);
    if (*bins_.SlotBelow(bins_.bins[i].top) == block) {
      AbortOnDoubleFree(reinterpret_cast<uintptr_t>(block), ClassBytes(c));
    }
    if (!bins_.PushChecked(states_[i].limit, c, block)) KeepInBins(c, block);
    NoteReserved(ClassBytes(c));
  }
}

// Gives the class more visible slots, within the thread's budget. Returns how
// many slots it has.
uint32_t ThreadCache::GrowVisible(SizeClass c) {
  if (WatchNow() == Watch::kEveryCall || SeesEveryCall()) return 0;
  const size_t i = Index(c);
  const uint32_t slots = visible_slots_[i];
  const uint32_t wanted =
      std::min(MostVisibleSlots(c), slots == 0 ? kFirstVisible : slots * 2);
  const auto bytes = static_cast<uint32_t>(
      (wanted - slots) * std::max<size_t>(ClassBytes(c), kMinSlotBytes));
  if (wanted == slots || visible_bytes_ + bytes > most_visible_bytes_) {
    return slots;
  }
  visible_bytes_ += bytes;
  visible_slots_[i] = static_cast<uint8_t>(wanted);
  // While frees are rationed, RationFrees sets the limit.
  if (WatchNow() == Watch::kNone) visible_.bins[i].SetLimit(FrontLimit(i));
  return wanted;
}

// Returns the `count` oldest visible blocks of the class to the reserve.
void ThreadCache::TakeBackVisible(SizeClass c, uint32_t count) {
  if (count == 0) return;
  const size_t i = Index(c);
  void** blocks = &visible_.slots[i][1];
  const uint32_t rest = HeldVisible(i) - count;
  {
    const BinsLock lock(*this);
    PutBack(c, blocks, count);
    NoteReserved(count * size_t{ClassBytes(c)});
  }
  std::copy_n(blocks + count, rest, blocks);
  visible_.bins[i].SetTop(RationBins::FirstOffset(i) + rest * kSlotBytes);
}

// The same with all of them; nothing may be visible until GrowVisible allows
// it.
void ThreadCache::TakeBackVisible() {
  if (!KeepsReserve()) return;
  // Without slots nothing is visible.
  for (size_t i = 1; i < kClassCount && visible_bytes_ != 0; ++i) {
    TakeBackVisible(ClassNumber(i), HeldVisible(i));
    visible_slots_[i] = 0;
    visible_.bins[i].SetLimit(FrontLimit(i));
  }
  visible_bytes_ = 0;
  SetMostVisible();
  NoteReserveUse();
}

// Keeps what the reserves of many threads hold together bounded, however much
// each of them frees before it waits: nobody takes it from them before the
// decay time. Call with the lock held, after `bytes` were put in.
void ThreadCache::NoteReserved(size_t bytes) {
  if (bytes <= may_reserve_bytes_) {
    may_reserve_bytes_ -= static_cast<uint32_t>(bytes);
  } else {
    BoundReserve();
  }
}

// If the reserve is near its bound, returns blocks until at most half of that
// is left; the largest first, which are fetched again at the same cost as small
// ones.
void ThreadCache::BoundReserve() {
  size_t held = 0;
  for (size_t c = 1; c < kClassCount; ++c) {
    held += Held(c) * size_t{ClassBytes(ClassNumber(c))};
  }
  if (held > most_reserved_bytes_ / 4 * 3) {
    for (size_t c = kClassCount; held > most_reserved_bytes_ / 2;) {
      const uint32_t count = Held(--c);
      if (count == 0) continue;
      held -= count * size_t{ClassBytes(ClassNumber(c))};
      DrainOldest(ClassNumber(c), count);
    }
  }
  may_reserve_bytes_ = most_reserved_bytes_ - static_cast<uint32_t>(held);
}

// Call after each critical section that may have put something in.
void ThreadCache::NoteReserveUse() {
  if (KeepsReserve()) reserve_mark_.NoteUse(reserves_in_use_);
}

// --- For other threads -------------------------------------------------------

// Flushes another thread's reserve, quarantine and span bins. Returns whether
// there was anything. The caller keeps the cache alive: it holds the lock of
// the list, or has taken the cache off it.
bool ThreadCache::FlushByOtherThread() {
  bool is_any = false;
  if (reserve_mark_.BeginEmptying(reserves_in_use_)) {
    if (reserve_mutex_.TryLock()) {
      if (KeepsReserve()) FlushBinsOfReserve();
      reserve_mutex_.Unlock();
      is_any = true;
    } else {
      reserve_mark_.NoteUse(reserves_in_use_);
    }
  }
  if (quarantine_.tiny_bytes() + quarantine_.mid_bytes() != 0 &&
      quarantine_.TryFlush(
          [this](SizeClass c, void* block) { Drain(c, &block, 1); })) {
    is_any = true;
  }
  if (span_cache_.held_bytes() != 0 &&
      Ace::FlushBinsOfOtherThread(span_cache_)) {
    is_any = true;
  }
  return is_any;
}

// The caller holds the lock.
void ThreadCache::FlushBinsOfReserve() {
  for (size_t c = 1; c < kClassCount; ++c) {
    if (const uint32_t held = Held(c)) DrainOldest(ClassNumber(c), held);
  }
  // The nulls below the first slots are restored by the purge, which zeros the
  // memory. If the OS refuses, nothing is lost.
  (void)os::PurgeWithin(reinterpret_cast<uintptr_t>(bins_.slots),
                        reinterpret_cast<uintptr_t>(&bins_ + 1));
}

}  // namespace hakmem
