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
#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/memory/purge_batch.h"
#include "backend/slabs/freed_batch.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "backend/slabs/slab_totals.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "tracing/counters/counters.h"

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
        if (unneeded != nullptr) source_.Return(unneeded, CoarseMilliseconds());
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
      if (spare != nullptr) source_.Return(spare, now);
    }
  }

  size_t Purge(uint64_t now, bool force, PurgeBudget* budget) {
    return source_.Purge(now, force, budget);
  }

  size_t Collect(uint64_t now, bool force) {
    EndEpoch(now, force);
    return Purge(now, force, nullptr);
  }

  // Purges free blocks of slabs in use where they cover whole pages: those due
  // at `now`, or all with `force`. Returns the bytes purged. For a SlabT that
  // records purged blocks (MidSlab).
  size_t PurgeInside(uint64_t now, bool force, PurgeBudget* budget = nullptr) {
    const uint64_t decay = options::Get(options::k_decay);
    size_t bytes = 0;
    for (ClassPool& pool : pools_) {
      // A walk of a class that found nothing is not repeated at once: calls
      // that continue one another would do little else. relaxed: a hint.
      if (!force && now < pool.purge_at.load(std::memory_order_relaxed)) {
        continue;
      }
      // Bounded, to keep housekeeping short; the rest can wait.
      for (int batch = 0; force || batch < kMaxPurgeBatches; ++batch) {
        if (PurgeBudget::IsSpent(budget)) break;
        Withdrawn withdrawn[kPurgeBatch];
        const size_t count = pool.Withdraw(withdrawn, [&](SlabT& slab) {
          return slab.WithPurgedBeside(slab.TakeDue(now, decay, force));
        });
        if (count == 0) {
          pool.purge_at.store(now + decay / kWalksPerDecay,
                              std::memory_order_relaxed);
          break;
        }
        PurgeBatch purges;
        for (size_t i = 0; i < count; ++i) {
          source_.BecomeSparse(*withdrawn[i].slab);
          withdrawn[i].AddTo(purges);
        }
        purges.Purge();
        bool all_purged = true;
        MutexLock lock(pool.mutex);
        for (size_t i = 0; i < count; ++i) {
          all_purged = all_purged && withdrawn[i].is_purged;
          SlabT* unneeded = pool.PutBack(withdrawn[i], &bytes);
          if (unneeded != nullptr) source_.Return(unneeded, now);
        }
        if (!all_purged) break;  // try again another time
      }
    }
    Count(Event::kPurgedByte, bytes);
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
  static constexpr size_t kPurgeBatch = 16;
  static constexpr int kMaxPurgeBatches = 16;
  static constexpr uint64_t kWalksPerDecay = 8;

  // Free blocks taken out of a slab while the kernel purges them, so that the
  // lock is not held meanwhile.
  struct Withdrawn {
    SlabT* slab;
    uint64_t blocks;
    uint32_t touched;  // the slab's touched_bytes at that time
    bool is_purged;

    void AddTo(PurgeBatch& purges) {
      is_purged = true;
      slab->ForEachPageRun(blocks, touched, os::PageBytes(),
                           [&](uintptr_t address, size_t length) {
                             purges.Add(address, length, &is_purged);
                           });
    }
  };

  // Each on its own cache line: classes are locked independently.
  struct alignas(64) ClassPool {
    Mutex mutex;
    SlabPool<SlabT> slabs ABSL_GUARDED_BY(mutex);
    // Blocks allocated; written under the lock. relaxed: it orders nothing.
    std::atomic<uint32_t> blocks{0};
    // When PurgeInside walks it again; CoarseMilliseconds.
    std::atomic<uint64_t> purge_at{0};

    // Takes the free blocks that `take_due(slab)` selects out of up to
    // kPurgeBatch slabs. Returns how many slabs.
    template <typename TakeDue>
    size_t Withdraw(Withdrawn* out, TakeDue&& take_due) {
      MutexLock lock(mutex);
      size_t count = 0;
      slabs.VisitPartial([&](SlabT* slab) {
        const uint64_t due = take_due(*slab);
        if (due != 0) out[count++] = {slab, due, slab->touched_bytes, false};
        return count < kPurgeBatch;
      });
      for (size_t i = 0; i < count; ++i) {
        SlabT* slab = out[i].slab;
        slab->free_bits[0] &= ~out[i].blocks;
        slab->free_count =
            static_cast<uint16_t>(std::popcount(slab->free_bits[0]));
        slabs.AfterWithdrawal(slab);
      }
      return count;
    }

    // Undoes Withdraw for one slab. Returns the slab if it is no longer needed.
    // Adds to `*bytes` the bytes no longer resident.
    SlabT* PutBack(const Withdrawn& withdrawn, size_t* bytes)
        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      SlabT* slab = withdrawn.slab;
      slab->free_bits[0] |= withdrawn.blocks;
      slab->free_count =
          static_cast<uint16_t>(std::popcount(slab->free_bits[0]));
      slab->scan_word = 0;
      if (withdrawn.is_purged) {
        const size_t before = TouchedPageBytes(*slab);
        slab->purged |= withdrawn.blocks;
        *bytes += before - TouchedPageBytes(*slab);
      }
      slab->used.Clear(withdrawn.blocks);
      return slabs.AfterPut(slab);
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
