// Time in a thread cache: decay, and flushing when the heap grows.
#include <algorithm>
#include <utility>

#include "ace/ace.h"
#include "backend/memory/chunk_source.h"
#include "backend/spans/page_heap.h"
#include "base/build_config.h"
#include "base/os/clock.h"
#include "base/text/options.h"
#include "frontend/process/housekeeping.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"
#include "tracing/counters/counters.h"

namespace hakmem {
namespace {

// An epoch's length in milliseconds.
uint64_t EpochLength() { return options::Get(options::k_decay) / 4; }

}  // namespace

void ThreadCache::PollClock() {
  NoteSlowCalls();
  calls_ = 0;
  TakeOverPollRequest();
  const uint64_t now = CoarseMilliseconds();
  seen_at_.store(now, std::memory_order_relaxed);
  // One call does one of these, since each may take a tenth of a millisecond;
  // housekeeping has every second one at least.
  const bool may_tidy = !std::exchange(has_tidied_, false);
  if (may_tidy && now - epoch_begun_ >= EpochLength()) {
    EndEpoch(now);
    has_tidied_ = true;
  } else if (may_tidy && HasGrown()) {
    FlushOnGrowth(now);
    has_tidied_ = true;
  } else {
    RunHousekeeping(now, IsQuiet(now), &ThreadCache::FlushIdleReserves);
  }
  ChooseReserve();
  ChooseWatch(now);
}

// Whether the process's memory has grown by a sixteenth, or a chunk, since this
// thread last flushed for growth.
bool ThreadCache::HasGrown() const {
  const uint64_t growth = ChunkSource::FreshChunks() - fresh_chunks_seen_;
  return growth > fresh_chunks_seen_ / 16;
}

// A bin's few blocks can each keep a chunk from other uses. When the heap grows
// they are returned, so that memory of the program's last phase serves the next
// one. The cost, a refill of the bins in use, is rare enough.
void ThreadCache::FlushOnGrowth(uint64_t now) {
  if (kAceMode == AceMode::kAdaptive) {
    FlushAll();
    FlushCachesToChunks(now);
    Count(Event::kFlushOnGrowth);
  }
  fresh_chunks_seen_ = ChunkSource::FreshChunks();
  SetBudgets();
}

// Sets how far the span bins, and the limits of the mid bins, may grow.
void ThreadCache::SetBudgets() {
  const size_t threads =
      std::max(count_.load(std::memory_order_relaxed), size_t{1});
  span_cache_.SetBudget(PageHeap::UsedBytes(), threads);
  size_t own = 0;
  for (size_t c = kTinyClassCount; c < kClassCount; ++c) {
    own += Held(c) * size_t{ClassBytes(ClassNumber(c))};
  }
  // The limits of all threads together are twice what the program has in use,
  // and bins are half full: of 2 * threads parts of that, one is for each
  // thread's bins, and the others' are in `blocks` too.
  const size_t blocks = Ace::MidBlockBytes();
  mid_budget_ =
      std::max((blocks - std::min(own, blocks)) * 2 / (2 * threads - 1),
               span_cache_.budget());
}

void ThreadCache::EndEpoch(uint64_t now) {
  const bool was_idle = now - epoch_begun_ >= options::Get(options::k_decay);
  epoch_begun_ = now;
  ReturnRation();
  // The next epoch decides anew which blocks should be visible.
  TakeBackVisible();
  slow_calls_ = 0;
  // After a long time nearly idle, nothing is worth keeping.
  if (was_idle) {
    is_busy_ = false;
    FlushAll();
  }
  HalveIdleBins();
  Ace::TrimBins(span_cache_, /*all=*/false);
  SetBudgets();
  retry_gate.Open();
}

void ThreadCache::HalveIdleBins() {
  const BinsLock lock(*this);
  for (size_t c = 1; c < kClassCount; ++c) {
    BinState& state = states_[c];
    if (!state.was_active) {
      if (const uint32_t held = Held(c)) {
        DrainOldest(ClassNumber(c), (held + 1) / 2);
      }
      if (kAceMode != AceMode::kFixed) {
        SetLimit(c, std::max({Limit(c) / 2, FirstSlots(c), Held(c)}));
      }
    }
    state.was_active = false;
  }
}

}  // namespace hakmem
