// How a thread cache gets to look at the clock although its bins serve every
// call: the two ways of watching (thread_cache.h), and when each begins and
// ends.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "base/os/clock.h"
#include "frontend/process/housekeeping.h"
#include "frontend/thread_cache/bins_switch.h"
#include "frontend/thread_cache/shelves.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"

namespace hakmem {
namespace {

// No thread watches for less free resident memory than this.
constexpr size_t kWorthWatchingBytes = 256 << 10;
// A busy thread watches, with rations, only from this much free resident memory
// on, or an eighth of the memory in use if that is more: less is not worth the
// cost.
constexpr size_t kWorthRationingBytes = size_t{8} << 20;
constexpr size_t kRationingPart = 8;

// A thread served by its bins begins to watch every call at most this often.
constexpr uint64_t kEveryCallEveryMs = 100;
// This many calls within one tick of the clock show that it is busy; this many
// looks, each after at most sixteen calls, that it still is.
constexpr uint32_t kBusyCalls = 512;
constexpr uint32_t kBusyLooks = 16;

}  // namespace

bool ThreadCache::IsWorthRationing(size_t dirty) {
  return dirty > std::max(kWorthRationingBytes,
                          ChunkSource::BytesInUse() / kRationingPart);
}

// Memory in other threads' reserves, or on shelves, is purged only when some
// thread looks.
bool ThreadCache::IsWorthWatching(size_t dirty) const {
  const size_t own = reserve_mark_.IsEmpty() ? 0 : 1;
  return dirty > kWorthWatchingBytes || Shelves::MayHold() || AwaitsEpochs() ||
         reserves_in_use_.load(std::memory_order_relaxed) > own;
}

void ThreadCache::ChooseWatch(uint64_t now) {
  dirty_seen_ = DirtyBytes::Bytes();
  const size_t dirty = dirty_seen_ + DirtyBytes::Idle();
  const bool is_worth_it = IsWorthWatching(dirty);
  const bool is_new_tick = now != current_tick_;
  if (is_worth_it) RequestPollFromOthers(now, HowOften::kSeldom);
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
                 !std::exchange(has_poll_request_, false)) {
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
        // The thread that asked sees freed memory that may not be counted yet.
        IsWorthRationing(dirty) || std::exchange(has_poll_request_, false)
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
  // A thread with little to do may wait for ever: make all that it holds
  // reachable for other threads.
  TakeBackVisible();
  ChooseSampling();
  watch_.store(Watch::kEveryCall, std::memory_order_relaxed);
  last_every_call_ = now;
  current_tick_ = now;
  calls_in_tick_ = 0;
  thread_tables.store(NoTables(), std::memory_order_relaxed);
}

void ThreadCache::ShowBins() {
  ReturnRation();
  RestoreLimits();
  ChooseSampling();
  watch_.store(Watch::kNone, std::memory_order_relaxed);
  UseTables({Samples() ? &RationTable() : &Front(), &Front()});
}

// Rations start empty: the first malloc of each class, and the first free, look
// at the clock, whatever the thread did before.
void ThreadCache::Ration() {
  ReturnRation();
  ChooseSampling();
  watch_.store(Watch::kRationed, std::memory_order_relaxed);
  calls_in_tick_ = kBusyLooks;  // for the tick it begins in
  rations_in_tick_ = 0;
  // sampled_ is prepared once, when sampling begins.
  if (!Samples()) PrepareTable(ration_);
  BinTable& front = Front();
  for (size_t c = 0; c < kClassCount; ++c) {
    Bin& bin = front.bins[c];
    bin.SetLimit(std::min(FrontLimit(c), bin.top));
  }
  UseTables({&RationTable(), &front});
}

void ThreadCache::UseTables(TablePair tables) {
  // Sampling may have begun since ChooseSampling.
  ShowBinsUnless(
      [&] {
        return SeesEveryCall() || SamplingSeen() != Sampling::Generation();
      },
      thread_tables, tables, NoTables());
}

void ThreadCache::RestoreLimits() {
  BinTable& front = Front();
  for (size_t c = 0; c < kClassCount; ++c) {
    front.bins[c].SetLimit(FrontLimit(c));
  }
}

// While only the number of calls has changed since the last look, counts the
// call and looks at nothing else.
void ThreadCache::PollClockIfDue() {
  if (++calls_ < kCallsPerPoll && CoarseMilliseconds() == current_tick_) {
    ++calls_in_tick_;
  } else {
    PollClock();
  }
}

// --- Other threads -----------------------------------------------------------

// Called by other threads, which hold the lock of the list: the owner's next
// free of any class takes the slow path; then it watches for a while, or goes
// on watching.
void ThreadCache::RequestPoll() {
  if (WatchNow() == Watch::kNone) {
    for (Bin& bin : Front().bins) bin.SetLimit(0);
  }
  // release: pairs with the acquire in TakeOverPollRequest, which restores
  // the limits.
  is_poll_requested_.store(true, std::memory_order_release);
}

void ThreadCache::TakeOverPollRequest() {
  // acquire: pairs with the release in RequestPoll.
  if (!is_poll_requested_.load(std::memory_order_acquire)) return;
  is_poll_requested_.store(false, std::memory_order_relaxed);
  has_poll_request_ = true;
  if (WatchNow() == Watch::kNone) RestoreLimits();
}

}  // namespace hakmem
