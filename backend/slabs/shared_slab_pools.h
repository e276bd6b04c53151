// Slab pools that all threads share: one per size class, each with a lock, over
// one slab source. Used by the SuperSlab back-end and ACE's mid classes.
//
//   class pool   lock │ slabs by fullness │ spare (one empty slab)
//   slab source  chunks cut into slabs, shared by all classes
//
// A batch is taken from the fullest slab with free blocks, so that emptier
// slabs drain and their memory can be returned. Freeing a batch costs one lock
// per 64 blocks and, under it, one bit per block (freed_batch.h).
//
// Thread-safe, constant-initialised. Lock order: class pools in ascending
// order, then the slab source.
#ifndef HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_H_
#define HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/memory/purge_budget.h"
#include "backend/slabs/freed_batch.h"
#include "backend/slabs/inner_purge.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "backend/slabs/slab_totals.h"
#include "base/os/clock.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"

namespace hakmem {

class HeapVerifier;

// For the classes [kFirst, kEnd). SlabT as for SlabSource; each instance needs
// its own type.
template <typename SlabT, size_t kFirst, size_t kEnd>
class SharedSlabPools {
 public:
  constexpr SharedSlabPools() = default;

  // See Backend's functions of these names (backend.h).

  uint32_t Refill(SizeClass size_class, void** blocks, uint32_t count) {
    ClassPool& pool = PoolOf(size_class);
    MutexLock lock(pool.mutex);
    uint32_t taken = pool.slabs.Take(blocks, count);
    if (taken == 0) taken = TakeFromNewSlab(pool, size_class, blocks, count);
    pool.AddBlocks(taken);
    return taken;
  }

  uint32_t RefillApart(SizeClass size_class, void** blocks, uint32_t count) {
    ClassPool& pool = PoolOf(size_class);
    MutexLock lock(pool.mutex);
    const uint32_t taken = pool.slabs.TakeWholeLines(blocks, count);
    pool.AddBlocks(taken);
    return taken;
  }

  void Drain(SizeClass size_class, void* const* blocks, uint32_t count) {
    for (uint32_t n; count != 0; blocks += n, count -= n) {
      n = std::min(count, FreedBatch<SlabT>::kMost);
      const FreedBatch<SlabT> batch(size_class, blocks, n);
      ClassPool& pool = PoolOf(size_class);
      MutexLock lock(pool.mutex);
      batch.PutAll([&](SlabT* slab) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        SlabT* unneeded = pool.slabs.AfterPut(slab);
        pool.idle.AfterPut(slab);
        if (unneeded != nullptr) GiveBack(pool, unneeded, CoarseMilliseconds());
      });
      pool.AddBlocks(-n);
    }
  }

  // Bytes in allocated blocks. Takes no lock.
  size_t BlockBytes() const {
    size_t bytes = 0;
    for (size_t c = kFirst; c < kEnd; ++c) {
      bytes += pools_[c - kFirst].blocks.load(std::memory_order_relaxed) *
               size_t{ClassBytes(SizeClass{static_cast<uint8_t>(c)})};
    }
    return bytes;
  }

  void EndEpoch(uint64_t now, bool force) {
    for (ClassPool& pool : pools_) {
      MutexLock lock(pool.mutex);
      SlabT* spare = pool.slabs.TakeOldSpare(force);
      if (spare != nullptr) GiveBack(pool, spare, now);
    }
  }

  size_t Purge(uint64_t now, bool force, PurgeBudget* budget) {
    return source_.Purge(now, force, budget);
  }

  size_t Collect(uint64_t now, bool force) {
    EndEpoch(now, force);
    return Purge(now, force, nullptr);
  }

  // Purges free pages of slabs in use. Returns the bytes purged.
  size_t PurgeInside(InnerPurge purge) {
    const size_t most_bytes = purge.most_bytes;
    size_t bytes = 0;
    for (ClassPool& pool : pools_) {
      if (bytes >= most_bytes || PurgeBudget::IsSpent(purge.budget)) break;
      purge.most_bytes = most_bytes - bytes;
      bytes += purge.Run<SlabT>(
          pool, source_, [&](SlabT* slab) ABSL_NO_THREAD_SAFETY_ANALYSIS {
            GiveBack(pool, slab, purge.now);
          });
    }
    return bytes;
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

  // Checks the invariants (heap_verifier.h). The caller holds the locks, as for
  // fork.
  [[gnu::cold]] void VerifyInvariants(
      HeapVerifier& check)  // shared_slab_pools_check.h
      ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  // Each on its own cache line: classes are locked independently.
  struct alignas(64) ClassPool {
    Mutex mutex;
    SlabPool<SlabT> slabs ABSL_GUARDED_BY(mutex);
    // Blocks allocated; written under the lock. relaxed: it orders nothing.
    std::atomic<uint32_t> blocks{0};
    IdleSlabs<SlabT> idle ABSL_GUARDED_BY(mutex);

    // For InnerPurge.
    SlabPool<SlabT>& PoolOf(SizeClass) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return slabs;
    }
    void ListAllPartial() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      idle.AddAll(slabs);
    }

    // `count` may be negative, modulo 2^32.
    void AddBlocks(uint32_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      blocks.store(blocks.load(std::memory_order_relaxed) + count,
                   std::memory_order_relaxed);
    }
  };

  // For a pool without free blocks. Releases the lock while the kernel samples
  // the newest chunk: others may free blocks meanwhile.
  [[gnu::noinline]] uint32_t TakeFromNewSlab(ClassPool& pool,
                                             SizeClass size_class,
                                             void** blocks, uint32_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(pool.mutex) {
    if (const uintptr_t chunk = source_.ChunkToSample(); chunk != 0) {
      pool.mutex.Unlock();
      source_.Sample(chunk);
      pool.mutex.Lock();
      const uint32_t taken = pool.slabs.Take(blocks, count);
      if (taken != 0) return taken;
    }
    SlabT* slab = source_.Take(size_class, SlabSource<SlabT>::Growth::kAllowed);
    if (slab == nullptr) return 0;
    pool.slabs.AddEmpty(slab);
    return pool.slabs.Take(blocks, count);
  }

  void GiveBack(ClassPool& pool, SlabT* slab, uint64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(pool.mutex) {
    pool.idle.Remove(slab);
    source_.Return(slab, now);
  }

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

#endif  // HAKMEM_BACKEND_SLABS_SHARED_SLAB_POOLS_H_
