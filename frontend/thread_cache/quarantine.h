// Quarantine: delays the reuse of freed blocks, in builds with
// --//hardening=full.
//
//   free ──► filled, marked ──► waits behind the blocks freed before ──► bin
//                               fill pattern verified ───────────────────┘
//
// One per thread, first in, first out, of HAKMEM_QUARANTINE bytes. While a
// block waits, a second free of it and a write to any part of it are detected,
// and a read after free finds none of the program's data.
//
// A member of ThreadCache, empty in other builds. Another thread may empty it
// (TryFlush). Zero bytes are a valid state.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "absl/base/thread_annotations.h"
#include "backend/errors/error_reporting.h"
#include "base/os/os_memory.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"

namespace hakmem {
namespace internal {

class KeptQuarantine {
 public:
  // Queues `block`, of class `c` and no longer in use. Calls release(class,
  // block) for those that have waited long enough, which then are free and
  // marked.
  template <typename Release>
  void Add(SizeClass c, void* block, Release&& release) {
    MutexLock lock(mutex_);
    const size_t bytes = ClassBytes(c);
    const size_t limit = options::Get(options::k_quarantine);
    while (count_ != 0 && (count_ == kMaxBlocks || bytes_ + bytes > limit)) {
      ReleaseOldest(release);
    }
    memset(block, Filling(), bytes);
    FreedMark::Put(block);
    if (bytes > limit) return release(c, block);
    waiting_[(first_ + count_++) % kMaxBlocks] = {block, c};
    Account(c, bytes);
  }

  // Releases all.
  template <typename Release>
  void Flush(Release&& release) {
    MutexLock lock(mutex_);
    while (count_ != 0) ReleaseOldest(release);
  }

  // The same for another thread; `release` must be callable there. Returns
  // false, and does nothing, while the owner is changing it.
  template <typename Release>
  bool TryFlush(Release&& release) {
    if (!mutex_.TryLock()) return false;
    while (count_ != 0) ReleaseOldest(release);
    // A refusal does no harm.
    (void)os::PurgeWithin(reinterpret_cast<uintptr_t>(waiting_),
                          reinterpret_cast<uintptr_t>(waiting_ + kMaxBlocks));
    mutex_.Unlock();
    return true;
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

  // Bytes of tiny and of mid blocks that wait. Other threads may read them.
  size_t tiny_bytes() const {
    return tiny_bytes_.load(std::memory_order_relaxed);
  }
  size_t mid_bytes() const {
    return mid_bytes_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kMaxBlocks = 1024;
  static constexpr int kFreedByte = 0xdf;

  struct Waiting {
    void* block;
    SizeClass size_class;
  };

  static int Filling() {
    return options::Get(options::k_zero_on_free) != 0 ? 0 : kFreedByte;
  }

  template <typename Release>
  void ReleaseOldest(Release&& release) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Waiting oldest = waiting_[first_];
    first_ = (first_ + 1) % kMaxBlocks;
    --count_;
    const size_t bytes = ClassBytes(oldest.size_class);
    Account(oldest.size_class, -bytes);
    if (!FreedMark::IsOn(oldest.block) || !IsFilled(oldest.block, bytes)) {
      AbortOnWriteAfterFree(reinterpret_cast<uintptr_t>(oldest.block), bytes);
    }
    release(oldest.size_class, oldest.block);
  }

  // All but the mark.
  static bool IsFilled(const void* block, size_t bytes) {
    const auto* rest =
        static_cast<const unsigned char*>(block) + FreedMark::kBytes;
    // The first byte is the filling, and each other equals the one before it.
    return rest[0] == Filling() &&
           memcmp(rest, rest + 1, bytes - FreedMark::kBytes - 1) == 0;
  }

  // `bytes` may be negative, modulo 2^64. relaxed: counters that order nothing.
  void Account(SizeClass c, size_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    bytes_ += bytes;
    std::atomic<size_t>& sum = IsMid(c) ? mid_bytes_ : tiny_bytes_;
    sum.store(sum.load(std::memory_order_relaxed) + bytes,
              std::memory_order_relaxed);
  }

  Mutex mutex_;
  Waiting waiting_[kMaxBlocks] ABSL_GUARDED_BY(mutex_);
  size_t first_ ABSL_GUARDED_BY(mutex_);
  size_t count_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> tiny_bytes_;
  std::atomic<size_t> mid_bytes_;
};

struct NoQuarantine {
  template <typename Release>
  void Add(SizeClass c, void* block, Release&& release) {
    release(c, block);
  }
  template <typename Release>
  void Flush(Release&&) {}
  template <typename Release>
  bool TryFlush(Release&&) {
    return false;
  }
  void LockForFork() {}
  void UnlockAfterFork() {}
  static constexpr size_t tiny_bytes() { return 0; }
  static constexpr size_t mid_bytes() { return 0; }
};

}  // namespace internal

using Quarantine =
    std::conditional_t<kQuarantinesFreed, internal::KeptQuarantine,
                       internal::NoQuarantine>;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_
