#include "ace/central_span_cache.h"

#include <algorithm>
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "ace/thread_span_cache.h"
#include "ace/thread_span_cache_check.h"
#include "backend/spans/page_heap.h"
#include "backend/spans/span.h"
#include "base/build_config.h"
#include "base/os/clock.h"
#include "base/sync/lock.h"

namespace hakmem {
namespace {

constexpr uint32_t kMostSpans = 64;
constexpr size_t kMostBytes = size_t{4} << 20;  // of one length
constexpr uint32_t kMissesPerGrowth = 8;
constexpr uint32_t kFixedLimit = 8;

struct alignas(64) Shard {
  Mutex mutex;
  // Written under the lock; read without it, to avoid taking it needlessly.
  // relaxed: a thread that needs the shard sees the change sooner or later.
  std::atomic<bool> is_active;
  bool in_use ABSL_GUARDED_BY(mutex);  // requested in this epoch
  uint32_t limit ABSL_GUARDED_BY(mutex);
  uint32_t low ABSL_GUARDED_BY(mutex);  // lowest count since the epoch began
  uint32_t misses ABSL_GUARDED_BY(mutex);
  std::atomic<uint32_t> count;  // as is_active
  uintptr_t spans[kMostSpans] ABSL_GUARDED_BY(mutex);

  uint32_t Count() const { return count.load(std::memory_order_relaxed); }
  void SetCount(uint32_t n) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    count.store(n, std::memory_order_relaxed);
    low = std::min(low, n);
  }
};

constinit Shard shards[ThreadSpanCache::kMaxPages + 1] = {};

void NoteMiss(Shard& shard, size_t pages)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) {
  if (kAceMode == AceMode::kFixed) {
    shard.limit = kFixedLimit;
  } else if (++shard.misses % kMissesPerGrowth == 0) {
    const size_t most =
        std::clamp<size_t>(kMostBytes / (pages * kPageBytes), 2, kMostSpans);
    shard.limit = static_cast<uint32_t>(
        std::min<size_t>(std::max(shard.limit * 2, 1u), most));
  }
  shard.is_active.store(true, std::memory_order_relaxed);
}

void ReturnToHeap(const uintptr_t* spans, uint32_t count) {
  if (count == 0) return;
  const uint64_t now = RecentMilliseconds();
  for (uint32_t i = 0; i < count; ++i) {
    PageHeap::FreeCached(Found::At(spans[i]), now);
  };
}

}  // namespace

uint32_t CentralSpanCache::Take(size_t pages, uint32_t count, uintptr_t* out) {
  Shard& shard = shards[pages];
  MutexLock lock(shard.mutex);
  shard.in_use = true;
  const uint32_t held = shard.Count();
  if (held == 0) {
    NoteMiss(shard, pages);
    return 0;
  }
  count = std::min(count, held);
  shard.SetCount(held - count);
  std::copy_n(shard.spans + held - count, count, out);
  return count;
}

void CentralSpanCache::Give(size_t pages, const uintptr_t* spans,
                            uint32_t count) {
  Shard& shard = shards[pages];
  uint32_t kept = 0;
  if (shard.is_active.load(std::memory_order_relaxed)) {
    MutexLock lock(shard.mutex);
    const uint32_t held = shard.Count();
    if (held < shard.limit) {
      kept = std::min(count, shard.limit - held);
      std::copy_n(spans, kept, shard.spans + held);
      shard.SetCount(held + kept);
    }
  }
  ReturnToHeap(spans + kept, count - kept);
}

void CentralSpanCache::GiveUsed(size_t pages, Found span) {
  if (shards[pages].is_active.load(std::memory_order_relaxed)) {
    PageHeap::MarkCached(span, pages);
    Give(pages, &span.address, 1);
  } else {
    PageHeap::Free(span, RecentMilliseconds());
  }
}

void CentralSpanCache::EndEpoch(bool force) {
  for (Shard& shard : shards) {
    if (!shard.is_active.load(std::memory_order_relaxed)) continue;
    uintptr_t unused[kMostSpans];
    uint32_t count;
    {
      MutexLock lock(shard.mutex);
      const uint32_t held = shard.Count();
      count = force ? held : shard.low;
      std::copy_n(shard.spans, count, unused);
      std::copy(shard.spans + count, shard.spans + held, shard.spans);
      shard.SetCount(held - count);
      if (kAceMode == AceMode::kAdaptive) {
        shard.limit -= std::min(count, shard.limit);
        if (!shard.in_use) shard.limit /= 2;
      }
      shard.low = held - count;
      shard.in_use = false;
      // Remains active while it holds spans from the epoch in which it is
      // retired.
      shard.is_active.store(shard.limit != 0 || held != count,
                            std::memory_order_relaxed);
    }
    ReturnToHeap(unused, count);
  }
}

size_t CentralSpanCache::HeldBytes() {
  size_t bytes = 0;
  for (size_t pages = 1; pages <= ThreadSpanCache::kMaxPages; ++pages) {
    bytes += shards[pages].Count() * pages * kPageBytes;
  }
  return bytes;
}

void CentralSpanCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Shard& shard : shards) shard.mutex.Lock();
}

void CentralSpanCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Shard& shard : shards) shard.mutex.Unlock();
}

void CentralSpanCache::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t pages = 0; pages <= ThreadSpanCache::kMaxPages; ++pages) {
    const Shard& shard = shards[pages];
    if (!check.Require(shard.Count() <= kMostSpans,
                       "a shard has more spans than room")) {
      continue;
    }
    check.Require(shard.low <= shard.Count() && shard.limit <= kMostSpans,
                  "a shard's low water is above what it has, or its limit "
                  "above its room");
    CheckKeptSpans(shard.spans, shard.Count(), pages, check);
  }
}

void CentralSpanCache::VisitSpans(void (*visit)(uintptr_t span, void* argument),
                                  void* argument)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (const Shard& shard : shards) {
    const uint32_t count = std::min(shard.Count(), kMostSpans);
    for (uint32_t i = 0; i < count; ++i) visit(shard.spans[i], argument);
  }
}

}  // namespace hakmem
