// Span bins: the free spans that a thread caches, one stack per length.
//
//   length   … │ 9 pages │ 10 │ … │ 256 pages │
//   spans        ■ ■ □ □   □        ■             ■ held  □ room in the limit
//
// A length has slots only while it is requested: its limit starts at 0, grows
// by one each time a few requests found the bin empty, and shrinks by what lay
// unused for a whole epoch (its low water), down to 0. All bins of a thread
// together stay within a budget, a small part of what the pool holds, so that
// caching many lengths does not cost much memory. With --//ace=fixed limits
// stay at kFixedLimit; unused spans are returned all the same.
//
// Owned by one thread. When there is a second thread it becomes shared (Share):
// its functions are then called under its lock, so that other threads can take
// the spans of an idle owner (Ace::FlushBinsOfOtherThread). Call Begin() before
// use.
#ifndef HAKMEM_ACE_THREAD_SPAN_CACHE_H_
#define HAKMEM_ACE_THREAD_SPAN_CACHE_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/base/thread_annotations.h"
#include "backend/spans/span.h"
#include "base/build_config.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "tracing/counters/counters.h"

namespace hakmem {

class HeapVerifier;

class ThreadSpanCache {
 public:
  static constexpr size_t kMaxPages = kMaxSpanBytes / kPageBytes;
  static constexpr uint32_t kMaxSpans = 8;
  static constexpr uint32_t kFixedLimit = 2;
  // All threads' bins together hold at most 1/kPoolShare of the pool.
  static constexpr size_t kPoolShare = 12;

  void Begin() {
    is_shared_ = false;
    SetRelaxed(held_bytes_, 0);
    SetRelaxed(classes_, 0);
    budget_ = kMinBudget;
    std::fill(std::begin(held_), std::end(held_), 0);
    for (Bin& bin : bins_) {
      bin = {};
      if (kAceMode == AceMode::kFixed) bin.limit = kFixedLimit;
    }
  }

  // Called by the owner: from now on other threads may take spans out.
  void Share() {
    MutexLock lock(mutex_);
    is_shared_ = true;
  }
  bool is_shared() const { return is_shared_; }

  // Held by the owner in the functions below; takes no lock before Share.
  class ABSL_SCOPED_LOCKABLE OwnerLock {
   public:
    explicit OwnerLock(ThreadSpanCache& bins)
        ABSL_EXCLUSIVE_LOCK_FUNCTION(bins.mutex_) ABSL_NO_THREAD_SAFETY_ANALYSIS
        : mutex_(bins.is_shared_ ? &bins.mutex_ : nullptr) {
      if (mutex_ != nullptr) mutex_->Lock();
    }
    ~OwnerLock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      if (mutex_ != nullptr) mutex_->Unlock();
    }
    OwnerLock(const OwnerLock&) = delete;
    OwnerLock& operator=(const OwnerLock&) = delete;

   private:
    Mutex* const mutex_;
  };

  // For another thread: runs `action` with the lock held and returns true;
  // false when the owner is changing its bins or has not shared them. Never
  // waits.
  template <typename Action>
  bool TryFromOtherThread(Action&& action) {
    if (!mutex_.TryLock()) return false;
    const bool is_shared = is_shared_;
    if (is_shared) action();
    mutex_.Unlock();
    return is_shared;
  }

  // Purges the arrays of span addresses when there are no spans. The caller
  // holds the lock.
  void PurgeSlotArrays() {
    if (held_bytes() != 0) return;
    // A refusal does no harm.
    (void)os::PurgeWithin(reinterpret_cast<uintptr_t>(spans_),
                          reinterpret_cast<uintptr_t>(spans_ + kMaxPages + 1));
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

  struct Span {
    uintptr_t address = 0;  // 0: none
    size_t pages = 0;
  };

  // Removes the shortest span of `pages` to `most` pages (at most kMaxPages);
  // of its length the newest: what was freed last is still in the CPU cache.
  Span Pop(size_t pages, size_t most) {
    const size_t found = FirstHeld(pages);
    if (found > most) {
      NoteMiss(pages);
      return {};
    }
    Bin& bin = bins_[found];
    bin.in_use = true;
    SetCount(found, bin.count - 1u);
    return {spans_[found][bin.count], found};
  }

  // Sets the budget of all bins together, for a pool that holds `pool_bytes`
  // and is used by `threads`.
  void SetBudget(size_t pool_bytes, size_t threads) {
    threads = std::max(threads, size_t{1});
    const size_t least =
        std::clamp(kMinBudgetOfAll / threads, kMinBudgetOfMany, kMinBudget);
    budget_ = std::max(pool_bytes / kPoolShare / threads, least);
  }

  // Caches the span at `address`. Returns false when its bin is at its limit or
  // all bins together would exceed the budget.
  bool Push(size_t pages, uintptr_t address) {
    Bin& bin = bins_[pages];
    const size_t bytes = pages * kPageBytes;
    if (bin.count >= bin.limit || held_bytes() + bytes > budget_) {
      return false;
    }
    spans_[pages][bin.count] = address;
    SetCount(pages, bin.count + 1u);
    return true;
  }

  // Counts a free of a span of `pages` by this thread.
  void NoteFree(size_t pages) {
    Bin& bin = bins_[pages];
    if (bin.frees != UINT16_MAX) ++bin.frees;
  }

  // Whether in this epoch the thread found the bin empty much more often than
  // it freed such spans: then other threads free them, if any does.
  bool MissesFarExceedFrees(size_t pages) const {
    const Bin& bin = bins_[pages];
    return bin.misses >= kMissesPerGrowth + 4 * bin.frees;
  }

  uint32_t Limit(size_t pages) const { return bins_[pages].limit; }

  // Whether the bin holds spans and is at its limit.
  bool IsAtLimit(size_t pages) const {
    return bins_[pages].count != 0 && bins_[pages].count >= bins_[pages].limit;
  }
  uint32_t Count(size_t pages) const { return bins_[pages].count; }

  // Moves the `count` oldest spans to `out`. There must be that many.
  void TakeOldest(size_t pages, uint32_t count, uintptr_t* out) {
    Bin& bin = bins_[pages];
    uintptr_t* spans = spans_[pages];
    std::copy_n(spans, count, out);
    std::copy(spans + count, spans + bin.count, spans);
    SetCount(pages, bin.count - count);
  }

  // Ends an epoch for spans of `pages`: returns how many lay unused in it, for
  // the caller to take out, and lowers the limit accordingly.
  uint32_t EndEpoch(size_t pages) {
    Bin& bin = bins_[pages];
    const uint8_t unused = bin.low;
    if (kAceMode == AceMode::kAdaptive) {
      const uint32_t limit = bin.limit - std::min(bin.limit, unused);
      // Halves the limit of a length that was not requested.
      SetLimit(bin, bin.in_use ? limit : limit / 2);
    }
    bin.low = static_cast<uint8_t>(bin.count - unused);
    bin.in_use = false;
    bin.misses = 0;
    bin.frees = 0;
    return unused;
  }

  // Other threads may read these two.
  size_t held_bytes() const {
    return held_bytes_.load(std::memory_order_relaxed);
  }
  // Number of lengths with a limit above 0.
  size_t classes() const { return classes_.load(std::memory_order_relaxed); }
  size_t budget() const { return budget_; }

  // Verifies the metadata (backend/verify/heap_verifier.h); the owner must not
  // be in the allocator. VisitSpans calls visit(span) for each cached span.
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check) const;
  template <typename Visit>
  void VisitSpans(Visit&& visit) const {
    for (size_t pages = 0; pages <= kMaxPages; ++pages) {
      const uint32_t count = std::min<uint32_t>(bins_[pages].count, kMaxSpans);
      for (uint32_t i = 0; i < count; ++i) visit(spans_[pages][i]);
    }
  }

 private:
  static constexpr uint32_t kMissesPerGrowth = 8;
  static constexpr size_t kMaxBytes = size_t{1} << 20;  // of one length
  // Least budget of a thread, however little the pool holds, unless so many
  // threads would together exceed kMinBudgetOfAll.
  static constexpr size_t kMinBudget = size_t{1} << 20;
  static constexpr size_t kMinBudgetOfAll = size_t{64} << 20;
  static constexpr size_t kMinBudgetOfMany = size_t{256} << 10;

  struct Bin {
    uint8_t count;
    uint8_t limit;
    uint8_t low;      // lowest count since the epoch began
    bool in_use;      // requested in this epoch
    uint16_t misses;  // in this epoch, saturating
    uint16_t frees;
  };

  // The shortest length from `pages` on that has a span; beyond kMaxPages when
  // there is none.
  size_t FirstHeld(size_t pages) const {
    size_t word = pages / 64;
    uint64_t bits = held_[word] & (~uint64_t{0} << (pages % 64));
    while (bits == 0) {
      if (++word == std::size(held_)) return SIZE_MAX;
      bits = held_[word];
    }
    return word * 64 + static_cast<size_t>(std::countr_zero(bits));
  }

  void SetCount(size_t pages, uint32_t count) {
    Bin& bin = bins_[pages];
    SetRelaxed(held_bytes_,
               held_bytes() + (size_t{count} - bin.count) * pages * kPageBytes);
    bin.count = static_cast<uint8_t>(count);
    bin.low = std::min(bin.low, bin.count);
    const uint64_t bit = uint64_t{1} << (pages % 64);
    held_[pages / 64] =
        count != 0 ? held_[pages / 64] | bit : held_[pages / 64] & ~bit;
  }

  void SetLimit(Bin& bin, uint32_t limit) {
    if (bin.limit == 0 && limit != 0) {
      SetRelaxed(classes_, classes() + 1);
      hakmem::Count(Event::kClassBegun);
    } else if (bin.limit != 0 && limit == 0) {
      SetRelaxed(classes_, classes() - 1);
      hakmem::Count(Event::kClassRetired);
    }
    bin.limit = static_cast<uint8_t>(limit);
  }

  // relaxed: numbers that order nothing. Only the owner writes.
  static void SetRelaxed(std::atomic<size_t>& number, size_t value) {
    number.store(value, std::memory_order_relaxed);
  }

  void NoteMiss(size_t pages) {
    Bin& bin = bins_[pages];
    bin.in_use = true;
    bin.low = std::min(bin.low, bin.count);
    if (bin.misses == UINT16_MAX) return;
    ++bin.misses;
    if (kAceMode != AceMode::kAdaptive) return;
    if (bin.misses % kMissesPerGrowth != 0) return;
    const size_t most =
        std::clamp<size_t>(kMaxBytes / (pages * kPageBytes), 1, kMaxSpans);
    if (bin.limit < most) SetLimit(bin, bin.limit + 1u);
  }

  Mutex mutex_;     // guards all below except budget_, once shared
  bool is_shared_;  // written by the owner, under the lock
  std::atomic<size_t> held_bytes_;
  std::atomic<size_t> classes_;
  size_t budget_;
  uint64_t held_[kMaxPages / 64 + 1];  // a bit for each length with spans
  Bin bins_[kMaxPages + 1];
  uintptr_t spans_[kMaxPages + 1][kMaxSpans];
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_THREAD_SPAN_CACHE_H_
