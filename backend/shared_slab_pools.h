// Slab pools that all threads share: one per size class, each with a lock, over
// one slab source.
//
//   class pool   lock │ slabs by fullness │ spare (one empty slab)
//   slab source  chunks cut into slabs, shared by all classes
//
// A batch is handed out from the fullest slab that has free blocks, so that the
// emptier ones drain and their memory goes back. A batch taken back costs one
// lock and, per block, one table lookup and one bit. The SuperSlab back-end is
// made of it, and ACE's mid classes.
//
// Thread-safe, constant-initialised. Lock order: class pools in ascending
// order, then the slab source.
#ifndef HAKMEM_BACKEND_SHARED_SLAB_POOLS_H_
#define HAKMEM_BACKEND_SHARED_SLAB_POOLS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/backend.h"
#include "backend/bad_free.h"
#include "backend/slab_pool.h"
#include "backend/slab_source.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/size_classes.h"

namespace hakmem {

// For the classes [kFirst, kEnd). SlabT as for SlabSource, one type for each
// instance.
template <typename SlabT, size_t kFirst, size_t kEnd>
class SharedSlabPools {
 public:
  constexpr SharedSlabPools() = default;

  // As Backend's functions of these names (backend.h).

  uint32_t Refill(SizeClass size_class, void** blocks, uint32_t count) {
    ClassPool& pool = PoolOf(size_class);
    MutexLock lock(pool.mutex);
    pool.spare_is_old = false;
    const uint32_t taken = pool.slabs.Take(blocks, count);
    if (taken != 0) return taken;
    SlabT* slab = source_.Take(size_class, SlabSource<SlabT>::Growth::kAllowed);
    if (slab == nullptr) return 0;
    pool.slabs.AddEmpty(slab);
    return pool.slabs.Take(blocks, count);
  }

  void Drain(SizeClass size_class, void* const* blocks, uint32_t count) {
    ClassPool& pool = PoolOf(size_class);
    MutexLock lock(pool.mutex);
    for (uint32_t i = 0; i < count; ++i) {
      const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
      SlabT* slab = SlabToDrain<SlabT>(address, size_class);
      const uint32_t block = slab->BlockAt(address);
      if (block == Slab::kNotABlock || !slab->Put(block)) {
        AbortOnBadSlabFree(*slab, address);
      }
      SlabT* unneeded = pool.slabs.AfterPut(slab);
      if (unneeded != nullptr) source_.Return(unneeded, CoarseMilliseconds());
    }
    pool.AddBlocks(-count);
  }

  // Bytes in blocks handed out, without the locks.
  size_t BlockBytes() const {
    size_t bytes = 0;
    for (size_t c = kFirst; c < kEnd; ++c) {
      bytes += pools_[c - kFirst].blocks.load(std::memory_order_relaxed) *
               size_t{ClassBytes(SizeClass{static_cast<uint8_t>(c)})};
    }
    return bytes;
  }

  size_t Collect(uint64_t now, bool force) {
    for (ClassPool& pool : pools_) {
      MutexLock lock(pool.mutex);
      if (force || pool.spare_is_old) {
        SlabT* spare = pool.slabs.TakeSpare();
        if (spare != nullptr) source_.Return(spare, now);
      }
      pool.spare_is_old = true;
    }
    return source_.Purge(now, force);
  }

  SlabTotals Totals() {
    SlabTotals totals;
    WithAllPools([&] { AddTotals(source_, totals); });
    return totals;
  }

  void VisitSlabs(SlabVisitor visitor, void* argument) {
    WithAllPools([&] { VisitSlabsOf(source_, visitor, argument); });
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (ClassPool& pool : pools_) pool.mutex.Lock();
    source_.LockForFork();
    SlabSource<SlabT>::LockPoolForFork();
  }

  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    SlabSource<SlabT>::UnlockPoolAfterFork();
    source_.UnlockAfterFork();
    for (ClassPool& pool : pools_) pool.mutex.Unlock();
  }

 private:
  // A line of its own each: classes are locked independently.
  struct alignas(64) ClassPool {
    Mutex mutex;
    SlabPool<SlabT> slabs ABSL_GUARDED_BY(mutex);
    bool spare_is_old ABSL_GUARDED_BY(mutex) = false;  // unused since a Collect
    // Handed out; written under the lock. relaxed: it orders nothing.
    std::atomic<uint32_t> blocks{0};

    // `count` may be negative, modulo 2^32.
    void AddBlocks(uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      blocks.store(blocks.load(std::memory_order_relaxed) + count,
                   std::memory_order_relaxed);
    }
  };

  ClassPool& PoolOf(SizeClass c) { return pools_[Index(c) - kFirst]; }

  // Runs `action` with every class pool locked.
  template <typename Action>
  void WithAllPools(Action&& action) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (ClassPool& pool : pools_) pool.mutex.Lock();
    action();
    for (ClassPool& pool : pools_) pool.mutex.Unlock();
  }

  ClassPool pools_[kEnd - kFirst];
  SlabSource<SlabT> source_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SHARED_SLAB_POOLS_H_
