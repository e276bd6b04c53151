// What a thread's cache does as time passes: watching the clock, decay, and
// making room when the heap grows.
#include <algorithm>

#include "ace/ace.h"
#include "ace_mode.h"
#include "backend/chunk_source.h"
#include "backend/dirty_ledger.h"
#include "backend/page_heap.h"
#include "base/clock.h"
#include "base/options.h"
#include "frontend/bins_switch.h"
#include "frontend/housekeeping.h"
#include "frontend/retry_gate.h"
#include "frontend/thread_cache.h"
#include "tracing/counters.h"

namespace hakmem {
namespace {

// Bins are hidden for more free resident memory than this, so often, and until
// this many calls come within one tick of the clock.
constexpr size_t kWorthWatchingBytes = 256 << 10;
constexpr uint64_t kHideEveryMs = 100;
constexpr uint32_t kBusyCalls = 512;

// An epoch's length in milliseconds.
uint64_t EpochLength() { return options::Get(options::k_decay) / 4; }

}  // namespace

void ThreadCache::LookAtClock() {
  calls_ = 0;
  const uint64_t now = CoarseMilliseconds();
  RunHousekeeping(now);
  if (now - epoch_begun_ >= EpochLength()) EndEpoch(now);
  if (HasGrown()) MakeRoom(now);
  span_bins_.SetBudget(PageHeap::UsedBytes(),
                       count_.load(std::memory_order_relaxed));
  const bool worth_watching = DirtyLedger::Bytes() > kWorthWatchingBytes;
  if (hidden_) {
    if (now != current_tick_) {
      current_tick_ = now;
      calls_in_tick_ = 0;
    }
    if (!worth_watching || ++calls_in_tick_ > kBusyCalls) ShowBins();
  } else if (ThreadBinsNow() != &bins_ && !SeesEveryCall()) {
    ShowBins();  // events went off
  } else if (worth_watching && now - last_hidden_ >= kHideEveryMs) {
    HideBins(now);
  }
}

// Whether the process's memory has grown by a sixteenth, or a chunk, since this
// thread last made room.
bool ThreadCache::HasGrown() const {
  const uint64_t growth = ChunkSource::FreshChunks() - fresh_chunks_seen_;
  return growth > fresh_chunks_seen_ / 16;
}

// A bin's few blocks can each keep a chunk from other uses. When the heap grows
// they are given up: what a program held in its last phase makes room for the
// next one. The cost is a refill of the bins in use, seldom enough.
void ThreadCache::MakeRoom(uint64_t now) {
  if (kAceMode == AceMode::kAdaptive) {
    FlushAll();
    GatherFreeChunks(now);
    Count(Event::kRoomMade);
  }
  fresh_chunks_seen_ = ChunkSource::FreshChunks();
}

void ThreadCache::HideBins(uint64_t now) {
  hidden_ = true;
  last_hidden_ = now;
  current_tick_ = now;
  calls_in_tick_ = 0;
  thread_bins.store(kNoBins, std::memory_order_relaxed);
}

void ThreadCache::ShowBins() {
  hidden_ = false;
  ShowBinsUnless(&SeesEveryCall, thread_bins, static_cast<BinTable*>(&bins_),
                 kNoBins);
}

void ThreadCache::EndEpoch(uint64_t now) {
  const bool was_idle = now - epoch_begun_ >= options::Get(options::k_decay);
  epoch_begun_ = now;
  // After a long time with next to nothing to do, nothing is worth keeping.
  if (was_idle) FlushAll();
  for (size_t c = 1; c < kClassCount; ++c) {
    BinState& state = states_[c];
    if (!state.moved) {
      if (const uint32_t held = Held(c)) {
        DrainOldest(ClassNumber(c), (held + 1) / 2);
      }
      if (kAceMode != AceMode::kFixed) {
        SetLimit(c, std::max({Limit(c) / 2, FirstSlots(c), Held(c)}));
      }
    }
    state.moved = false;
  }
  Ace::TrimBins(span_bins_, /*all=*/false);
  retry_gate.Open();
}

}  // namespace hakmem
