#include "ace/span_shards.h"

#include <algorithm>
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "ace/held_spans.h"
#include "ace/limit.h"
#include "ace_mode.h"
#include "backend/span.h"
#include "base/lock.h"

namespace hakmem {
namespace {

constexpr size_t kMaxPages = kMaxSpanBytes / kPageBytes;
constexpr uint32_t kMostSpans = 32;
constexpr uint32_t kFixedLimit = 2;
constexpr size_t kMostBytes = size_t{4} << 20;  // of one length
constexpr uint32_t kMissesPerGrowth = 8;

struct alignas(64) Shard {
  Mutex mutex;
  uint32_t count ABSL_GUARDED_BY(mutex);
  uint32_t limit ABSL_GUARDED_BY(mutex);
  uint32_t low ABSL_GUARDED_BY(mutex);  // least count since the epoch began
  uint32_t misses ABSL_GUARDED_BY(mutex);
  bool in_use ABSL_GUARDED_BY(mutex);  // asked for in this epoch
  // Whether there may be anything here, so that an epoch ends without the
  // locks of lengths that nobody uses. relaxed: a hint.
  std::atomic<bool> is_active;
  uintptr_t spans[kMostSpans] ABSL_GUARDED_BY(mutex);
};

constinit Shard shards[kMaxPages + 1] = {};
// Of all shards. relaxed: a sum that orders nothing.
constinit std::atomic<size_t> held_bytes{0};

uint32_t Limit(const Shard& shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) {
  return kAceMode == AceMode::kFixed ? kFixedLimit : shard.limit;
}

void NoteMiss(Shard& shard, size_t pages)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) {
  shard.low = 0;
  shard.in_use = true;
  shard.is_active.store(true, std::memory_order_relaxed);
  if (kAceMode != AceMode::kAdaptive) return;
  if (++shard.misses < kMissesPerGrowth) return;
  shard.misses = 0;
  const size_t most =
      std::clamp<size_t>(kMostBytes / (pages * kPageBytes), 2, kMostSpans);
  shard.limit = static_cast<uint32_t>(
      std::min<size_t>(shard.limit == 0 ? 1 : shard.limit * 2, most));
}

}  // namespace

uint32_t SpanShards::Take(size_t pages, uint32_t count, uintptr_t* out) {
  Shard& shard = shards[pages];
  MutexLock lock(shard.mutex);
  if (shard.count == 0) {
    NoteMiss(shard, pages);
    return 0;
  }
  count = std::min(count, shard.count);
  shard.count -= count;
  shard.low = std::min(shard.low, shard.count);
  shard.in_use = true;
  std::copy_n(shard.spans + shard.count, count, out);
  held_bytes.fetch_sub(count * pages * kPageBytes, std::memory_order_relaxed);
  return count;
}

uint32_t SpanShards::Give(size_t pages, const uintptr_t* spans,
                          uint32_t count) {
  Shard& shard = shards[pages];
  // All shards together keep within a small part of what the pool holds.
  constexpr size_t kLeastBudget = size_t{1} << 20;
  const size_t budget = std::max(AceLimit::Held() / 32, kLeastBudget);
  const size_t held = held_bytes.load(std::memory_order_relaxed);
  if (held >= budget) return 0;
  const size_t room = (budget - held) / (pages * kPageBytes);
  MutexLock lock(shard.mutex);
  const uint32_t limit = Limit(shard);
  if (limit <= shard.count) return 0;
  count = static_cast<uint32_t>(
      std::min<size_t>({count, limit - shard.count, room}));
  std::copy_n(spans, count, shard.spans + shard.count);
  shard.count += count;
  shard.is_active.store(true, std::memory_order_relaxed);
  held_bytes.fetch_add(count * pages * kPageBytes, std::memory_order_relaxed);
  return count;
}

size_t SpanShards::EndEpoch(bool force) {
  size_t bytes = 0;
  for (size_t pages = 1; pages <= kMaxPages; ++pages) {
    Shard& shard = shards[pages];
    if (!shard.is_active.load(std::memory_order_relaxed)) continue;
    uintptr_t unused[kMostSpans];
    uint32_t count;
    {
      MutexLock lock(shard.mutex);
      count = shard.low;
      if (kAceMode == AceMode::kFixed) count = 0;
      if (force) count = shard.count;
      std::copy_n(shard.spans, count, unused);
      std::copy(shard.spans + count, shard.spans + shard.count, shard.spans);
      shard.count -= count;
      shard.limit -= std::min(count, shard.limit);
      if (!shard.in_use) shard.limit /= 2;
      shard.low = shard.count;
      shard.in_use = false;
      shard.is_active.store(shard.limit != 0 || shard.count != 0,
                            std::memory_order_relaxed);
    }
    HeldSpans::Return(unused, count);
    held_bytes.fetch_sub(count * pages * kPageBytes, std::memory_order_relaxed);
    bytes += count * pages * kPageBytes;
  }
  return bytes;
}

size_t SpanShards::HeldBytes() {
  return held_bytes.load(std::memory_order_relaxed);
}

void SpanShards::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Shard& shard : shards) shard.mutex.Lock();
}

void SpanShards::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Shard& shard : shards) shard.mutex.Unlock();
}

}  // namespace hakmem
