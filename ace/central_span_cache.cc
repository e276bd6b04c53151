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

constexpr uint32_t kMaxSpans = 64;
constexpr size_t kMaxBytes = size_t{4} << 20;  // of one length
constexpr uint32_t kMissesPerGrowth = 8;
constexpr uint32_t kFixedLimit = 8;

struct alignas(64) SpanList {
  Mutex mutex;
  // Written under the lock; read without it, to avoid taking it needlessly.
  // relaxed: a thread that needs the list sees the change sooner or later.
  std::atomic<bool> is_active;
  bool in_use ABSL_GUARDED_BY(mutex);  // requested in this epoch
  uint32_t limit ABSL_GUARDED_BY(mutex);
  uint32_t low ABSL_GUARDED_BY(mutex);  // lowest count since the epoch began
  uint32_t misses ABSL_GUARDED_BY(mutex);
  std::atomic<uint32_t> count;  // as is_active
  uintptr_t spans[kMaxSpans] ABSL_GUARDED_BY(mutex);

  uint32_t Count() const { return count.load(std::memory_order_relaxed); }
  void SetCount(uint32_t n) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    count.store(n, std::memory_order_relaxed);
    low = std::min(low, n);
  }
};

constinit SpanList lists[ThreadSpanCache::kMaxPages + 1] = {};

void NoteMiss(SpanList& list, size_t pages)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(list.mutex) {
  if (kAceMode == AceMode::kFixed) {
    list.limit = kFixedLimit;
  } else if (++list.misses % kMissesPerGrowth == 0) {
    const size_t most =
        std::clamp<size_t>(kMaxBytes / (pages * kPageBytes), 2, kMaxSpans);
    list.limit = static_cast<uint32_t>(
        std::min<size_t>(std::max(list.limit * 2, 1u), most));
  }
  list.is_active.store(true, std::memory_order_relaxed);
}

void ReturnToHeap(const uintptr_t* spans, uint32_t count) {
  if (count == 0) return;
  const uint64_t now = RecentMilliseconds();
  for (uint32_t i = 0; i < count; ++i) {
    PageHeap::FreeCached(PagemapEntry::At(spans[i]), now);
  };
}

}  // namespace

uint32_t CentralSpanCache::Take(size_t pages, uint32_t count, uintptr_t* out) {
  SpanList& list = lists[pages];
  MutexLock lock(list.mutex);
  list.in_use = true;
  const uint32_t held = list.Count();
  if (held == 0) {
    NoteMiss(list, pages);
    return 0;
  }
  count = std::min(count, held);
  list.SetCount(held - count);
  std::copy_n(list.spans + held - count, count, out);
  return count;
}

void CentralSpanCache::Give(size_t pages, const uintptr_t* spans,
                            uint32_t count) {
  SpanList& list = lists[pages];
  uint32_t kept = 0;
  if (list.is_active.load(std::memory_order_relaxed)) {
    MutexLock lock(list.mutex);
    const uint32_t held = list.Count();
    if (held < list.limit) {
      kept = std::min(count, list.limit - held);
      std::copy_n(spans, kept, list.spans + held);
      list.SetCount(held + kept);
    }
  }
  ReturnToHeap(spans + kept, count - kept);
}

void CentralSpanCache::GiveUsed(size_t pages, PagemapEntry span) {
  if (lists[pages].is_active.load(std::memory_order_relaxed)) {
    PageHeap::MarkCached(span, pages);
    Give(pages, &span.address, 1);
  } else {
    PageHeap::Free(span, RecentMilliseconds());
  }
}

void CentralSpanCache::EndEpoch(bool force) {
  for (SpanList& list : lists) {
    if (!list.is_active.load(std::memory_order_relaxed)) continue;
    uintptr_t unused[kMaxSpans];
    uint32_t count;
    {
      MutexLock lock(list.mutex);
      const uint32_t held = list.Count();
      count = force ? held : list.low;
      std::copy_n(list.spans, count, unused);
      std::copy(list.spans + count, list.spans + held, list.spans);
      list.SetCount(held - count);
      if (kAceMode == AceMode::kAdaptive) {
        list.limit -= std::min(count, list.limit);
        if (!list.in_use) list.limit /= 2;
      }
      list.low = held - count;
      list.in_use = false;
      // Remains active while it holds spans from the epoch in which it is
      // retired.
      list.is_active.store(list.limit != 0 || held != count,
                           std::memory_order_relaxed);
    }
    ReturnToHeap(unused, count);
  }
}

size_t CentralSpanCache::HeldBytes() {
  size_t bytes = 0;
  for (size_t pages = 1; pages <= ThreadSpanCache::kMaxPages; ++pages) {
    bytes += lists[pages].Count() * pages * kPageBytes;
  }
  return bytes;
}

void CentralSpanCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (SpanList& list : lists) list.mutex.Lock();
}

void CentralSpanCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (SpanList& list : lists) list.mutex.Unlock();
}

void CentralSpanCache::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t pages = 0; pages <= ThreadSpanCache::kMaxPages; ++pages) {
    const SpanList& list = lists[pages];
    if (!check.Require(list.Count() <= kMaxSpans,
                       "a central span list has more spans than room")) {
      continue;
    }
    check.Require(
        list.low <= list.Count() && list.limit <= kMaxSpans,
        "a central span list's low water is above what it has, or its limit "
        "above its room");
    CheckCachedSpans(list.spans, list.Count(), pages, check);
  }
}

void CentralSpanCache::VisitSpans(void (*visit)(uintptr_t span, void* argument),
                                  void* argument)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (const SpanList& list : lists) {
    const uint32_t count = std::min(list.Count(), kMaxSpans);
    for (uint32_t i = 0; i < count; ++i) visit(list.spans[i], argument);
  }
}

}  // namespace hakmem
