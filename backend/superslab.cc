#include "backend/superslab.h"

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/bad_free.h"
#include "backend/slab_pool.h"
#include "backend/slab_source.h"
#include "base/clock.h"
#include "base/lock.h"

namespace hakmem {
namespace {

// A line of its own each: classes are locked independently.
struct alignas(64) ClassPool {
  Mutex mutex;
  SlabPool<Slab> slabs ABSL_GUARDED_BY(mutex);
  bool spare_is_old ABSL_GUARDED_BY(mutex) = false;  // unused since a Collect
};

constinit SuperSlabBackend::Heap the_heap;
constinit ClassPool class_pools[kClassCount];
constinit SlabSource<Slab> slab_source;

// Runs `action` with every class pool locked.
template <typename Action>
void WithAllPools(Action&& action) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (ClassPool& pool : class_pools) pool.mutex.Lock();
  action();
  for (ClassPool& pool : class_pools) pool.mutex.Unlock();
}

}  // namespace

SuperSlabBackend::Heap* SuperSlabBackend::Attach() { return &the_heap; }

void SuperSlabBackend::Detach(Heap*) {}

uint32_t SuperSlabBackend::Refill(Heap*, SizeClass size_class, void** blocks,
                                  uint32_t count) {
  ClassPool& pool = class_pools[Index(size_class)];
  MutexLock lock(pool.mutex);
  pool.spare_is_old = false;
  const uint32_t taken = pool.slabs.Take(blocks, count);
  if (taken != 0) return taken;
  Slab* slab = slab_source.Take(size_class, &the_heap,
                                SlabSource<Slab>::Growth::kAllowed);
  if (slab == nullptr) return 0;
  pool.slabs.AddEmpty(slab);
  return pool.slabs.Take(blocks, count);
}

void SuperSlabBackend::Drain(Heap*, SizeClass size_class, void** blocks,
                             uint32_t count) {
  ClassPool& pool = class_pools[Index(size_class)];
  MutexLock lock(pool.mutex);
  for (uint32_t i = 0; i < count; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
    Slab* slab = SlabToDrain<Slab>(address, size_class);
    const uint32_t block = slab->BlockAt(address);
    if (block == Slab::kNotABlock || !slab->Put(block)) {
      AbortOnBadSlabFree(*slab, address);
    }
    Slab* unneeded = pool.slabs.AfterPut(slab);
    if (unneeded != nullptr) {
      slab_source.Return(unneeded, CoarseMilliseconds());
    }
  }
}

const Slab* SuperSlabBackend::SlabAt(uintptr_t address) {
  return FindSlab<Slab>(address);
}

size_t SuperSlabBackend::Collect(uint64_t now, bool force) {
  for (ClassPool& pool : class_pools) {
    MutexLock lock(pool.mutex);
    if (force || pool.spare_is_old) {
      Slab* spare = pool.slabs.TakeSpare();
      if (spare != nullptr) slab_source.Return(spare, now);
    }
    pool.spare_is_old = true;
  }
  return slab_source.Purge(now, force);
}

SlabTotals SuperSlabBackend::Totals() {
  SlabTotals totals;
  WithAllPools([&] { AddTotals(slab_source, totals); });
  return totals;
}

void SuperSlabBackend::VisitSlabs(SlabVisitor visitor, void* argument) {
  WithAllPools([&] { VisitSlabsOf(slab_source, visitor, argument); });
}

void SuperSlabBackend::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (ClassPool& pool : class_pools) pool.mutex.Lock();
  slab_source.LockForFork();
  SlabSource<Slab>::LockPoolForFork();
}

void SuperSlabBackend::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  SlabSource<Slab>::UnlockPoolAfterFork();
  slab_source.UnlockAfterFork();
  for (ClassPool& pool : class_pools) pool.mutex.Unlock();
}

}  // namespace hakmem
