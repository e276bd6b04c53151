// The slab source: cuts chunks into slabs for one owner.
//
// The SuperSlab back-end and ACE have one source each, shared by all threads;
// the segment back-end has one per heap. Slabs come from the chunk with the
// fewest free ones, so that other chunks become empty and can be freed. A free
// slab stays resident for the decay time, then is purged.
//
// The metadata of a freed chunk is cached for the decay time too, then purged.
// What other threads may access of a slab without a lock even after it is freed
// (SlabT::Lasting, if any) is stored apart and never purged (lasting_parts.h).
//
// SlabT is Slab or derived from it. A zeroed SlabT, and a zeroed Lasting, must
// be valid. Thread-safe. Lock order: after the back-end's locks, before the
// chunk source's.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_SOURCE_H_
#define HAKMEM_BACKEND_SLABS_SLAB_SOURCE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "backend/errors/error_reporting.h"
#include "backend/memory/chunk.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/density.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/metadata.h"
#include "backend/memory/pagemap.h"
#include "backend/memory/purge_budget.h"
#include "backend/slabs/lasting_parts.h"
#include "backend/slabs/slab.h"
#include "backend/slabs/slab_chunk.h"
#include "backend/slabs/slab_totals.h"
#include "base/intrusive_list.h"
#include "base/os/clock.h"
#include "base/os/os_guards.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "hardening/levels.h"
#include "tracing/counters/counters.h"

namespace hakmem {

class HeapVerifier;

template <typename SlabT>
class SlabSource {
 public:
  using ChunkT = SlabChunk<SlabT>;

  constexpr SlabSource() = default;

  enum class Growth { kAllowed, kForbidden };

  // For slabs of long blocks: the chunk to sample before the Take that is going
  // to add another; 0 when it will add none, or the sample would not matter.
  uintptr_t ChunkToSample() {
    if constexpr (!kSamplesDensity) return 0;
    MutexLock lock(mutex_);
    return lists_with_free_ == 0 && growing_ == nullptr && MayBeDense()
               ? held_.back()->base
               : 0;
  }

  // Samples that chunk. The kernel may take a while: hold no lock.
  void Sample(uintptr_t chunk) {
    const bool is_dense = Density::IsDense(chunk, kChunkBytes);
    MutexLock lock(mutex_);
    next_is_dense_ = density_.WantsHugePages(is_dense);
  }

  // Returns a slab of `size_class`, entered in the pagemap. Null when none is
  // free and growth is forbidden or the OS refuses.
  SlabT* Take(SizeClass size_class, Growth growth) {
    MutexLock lock(mutex_);
    if (lists_with_free_ == 0 && !MakeMoreSlabsUsable() &&
        (growth == Growth::kForbidden || !AddChunk())) {
      return nullptr;
    }
    ChunkT* chunk = lists_[std::countr_zero(lists_with_free_)].front();
    SlabT* slab = &chunk->slabs[ChooseSlab(*chunk)];
    SetFreeMask(chunk, chunk->free_mask & ~MaskOf(*chunk, *slab));
    DirtyBytes::Subtract(TouchedPageBytes(*slab));
    slab->Begin(size_class);
    Pagemap::SetClass(slab->base, size_class);
    return slab;
  }

  // Whether it holds no chunk.
  bool IsEmpty() {
    MutexLock lock(mutex_);
    return held_count_ == 0;
  }

  // Takes back a slab whose blocks are all free.
  void Return(SlabT* slab, uint64_t now) {
    Pagemap::SetClass(slab->base, SizeClass::kNone);
    MutexLock lock(mutex_);
    slab->size_class = SizeClass::kNone;
    slab->freed_at = now;
    next_due_ = std::min(next_due_, now + options::Get(options::k_decay));
    DirtyBytes::Add(TouchedPageBytes(*slab));
    auto* chunk = static_cast<ChunkT*>(Pagemap::ChunkAt(slab->base));
    SetFreeMask(chunk, chunk->free_mask | MaskOf(*chunk, *slab));
    if (chunk->free_mask == chunk->all_mask && FreeSlabElsewhere(chunk)) {
      Release(chunk, now);
      pool_.PutCached(chunk, now);
    }
  }

  // Purges slabs that have been free for the decay time at `now`, or all free
  // ones with `force`, and frees chunks without a used slab that are due. When
  // `budget` is spent, the next call continues where this one stopped. Returns
  // the bytes purged.
  size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr) {
    const uint64_t decay = options::Get(options::k_decay);
    size_t given_back = 0;
    pool_.PurgeCached(now, decay, force, budget);
    MutexLock lock(mutex_);
    ChunkT* chunk = force ? held_.front() : BeginOrResumeWalk(now);
    for (ChunkT* next; chunk != nullptr; chunk = next) {
      if (PurgeBudget::IsSpentScanning(budget)) {
        resume_at_ = chunk;
        return given_back;
      }
      next = held_.Next(chunk);
      const bool is_unused = chunk->free_mask == chunk->all_mask &&
                             IsDue(*chunk, now, decay, force);
      const uint32_t due = is_unused ? 0 : DueSlabs(*chunk, now, decay, force);
      if ((is_unused || due != 0) && PurgeBudget::IsSpent(budget)) {
        resume_at_ = chunk;
        return given_back;
      }
      if (is_unused) {
        Release(chunk, now - decay);
        pool_.Put(chunk);
        continue;
      }
      if (due == 0) {
        NoteDue(*chunk, decay);
        continue;
      }
      // The slabs are not free during the system call, so the lock is not held.
      // The chunk stays: not all of its slabs are free.
      SetFreeMask(chunk, chunk->free_mask & ~due);
      const bool was_dense = chunk->is_dense;
      mutex_.Unlock();
      const bool is_sparse =
          was_dense && ChunkSource::BecomeSparse(chunk->base);
      const uint32_t purged = PurgeSlabs(*chunk, due);
      mutex_.Lock();
      if (is_sparse) chunk->is_dense = false;
      given_back += EndPurge(chunk, due, purged);
      NoteDue(*chunk, decay);
      next = held_.Next(chunk);
    }
    return given_back;
  }

  // Call before a part of `slab`, which is in use, is purged.
  void BecomeSparse(const SlabT& slab) {
    auto* chunk = static_cast<ChunkT*>(Pagemap::ChunkAt(slab.base));
    MutexLock lock(mutex_);
    if (chunk->is_dense && ChunkSource::BecomeSparse(chunk->base)) {
      chunk->is_dense = false;
    }
  }

  // Calls visitor(const ChunkT&) for every chunk held. The visitor must take no
  // lock of the allocator.
  template <typename Visitor>
  void VisitChunks(Visitor&& visitor) {
    MutexLock lock(mutex_);
    for (ChunkT* chunk = held_.front(); chunk != nullptr;
         chunk = held_.Next(chunk)) {
      visitor(*chunk);
    }
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }
  static void LockPoolForFork() {
    pool_.LockForFork();
    LastingParts<SlabT>::LockPoolForFork();
  }
  static void UnlockPoolAfterFork() {
    LastingParts<SlabT>::UnlockPoolAfterFork();
    pool_.UnlockAfterFork();
  }

  // Checks the invariants (heap_verifier.h), and calls visit(const SlabT&) for
  // each slab, including free ones. The caller holds the locks, as for fork.
  template <typename Visit>
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check,
                                      Visit&& visit)  // slab_source_check.h
      ABSL_NO_THREAD_SAFETY_ANALYSIS;
  [[gnu::cold]] static void CheckPool(HeapVerifier& check);

 private:
  // From this many chunks in use, new ones get huge pages (16 MiB).
  static constexpr size_t kMinDenseChunks = 8;

  // How many slabs of a source's only chunk are made usable at a time, and how
  // many at least when memory is short. Guard pages need whole chunks.
  static constexpr size_t kSlabsAtOnce = kGuardsMemory ? kSlabsPerChunk : 4;
  static constexpr size_t kMinSlabs = kGuardsMemory ? kSlabsPerChunk : 1;

  using HeldList = IntrusiveList<ChunkT, HeldChunksTag>;

  static uint32_t MaskOf(const ChunkT& chunk, const SlabT& slab) {
    return uint32_t{1} << (&slab - chunk.slabs);
  }

  // Returns a resident free slab, else the first: fewest page faults.
  static size_t ChooseSlab(const ChunkT& chunk) {
    for (uint32_t m = chunk.free_mask; m != 0; m &= m - 1) {
      const size_t i = std::countr_zero(m);
      if (chunk.slabs[i].touched_bytes != 0) return i;
    }
    return std::countr_zero(chunk.free_mask);
  }

  // Where several blocks share a page, a slab in use is touched. A long block
  // may not be.
  static constexpr bool kSamplesDensity = requires { SlabT::kHasLongBlocks; };

  // All slabs held are in use, so with many chunks the waste of one is small.
  // Guard pages make holes, which huge pages cannot have.
  bool MayBeDense() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !kGuardsMemory && held_count_ >= kMinDenseChunks;
  }

  // Whether most of the next chunk will be touched.
  bool WillBeDense() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return MayBeDense() &&
           (!kSamplesDensity || std::exchange(next_is_dense_, false));
  }

  bool AddChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ChunkT* chunk = pool_.Get();
    if (chunk == nullptr) return false;
    if (!chunk->lasting.Take(chunk->slabs)) {
      pool_.Put(chunk);
      return false;
    }
    const ChunkSource::Allocation memory = ChunkSource::Allocate(
        WillBeDense() ? ChunkSource::Use::kDense : ChunkSource::Use::kSparse,
        held_count_ == 0 ? kSlabsAtOnce * kSlabBytes : kChunkBytes,
        kMinSlabs * kSlabBytes);
    if (memory.address == 0) {
      pool_.Put(chunk);
      return false;
    }
    chunk->base = memory.address;
    chunk->kind = ChunkKind::kSlabs;
    chunk->is_dense = memory.is_dense;
    const uint64_t now = memory.is_dense ? CoarseMilliseconds() : 0;
    const size_t count = SlabsOfChunk();
    const size_t usable = std::min(count, memory.usable_bytes / kSlabBytes);
    chunk->all_mask = FirstSlabs(usable);
    // Used memory may be resident to any extent: assume all. Huge pages are all
    // resident once the first slab is used.
    const size_t touched =
        memory.is_zero && !memory.is_dense ? 0 : kSlabUsableBytes;
    BeginSlabs(*chunk, 0, usable, static_cast<uint32_t>(touched), now);
    if (!Pagemap::SetChunk(memory.address, chunk)) {
      if constexpr (kGuardsMemory) os::Unguard(chunk->base, kChunkBytes);
      ChunkSource::Free(memory.address, DropSlabs(*chunk), 0);
      pool_.Put(chunk);
      return false;
    }
    chunk->free_mask = 0;
    held_.PushBack(chunk);
    ++held_count_;
    SetFreeMask(chunk, chunk->all_mask);
    next_due_ = std::min(next_due_, now + options::Get(options::k_decay));
    if (usable < count) growing_ = chunk;
    return true;
  }

  // Makes free slabs of those numbered [first, end). The metadata of slabs that
  // are not usable is not touched: many chunks never use theirs.
  static void BeginSlabs(ChunkT& chunk, size_t first, size_t end,
                         uint32_t touched_bytes, uint64_t now) {
    for (size_t i = first; i < end; ++i) {
      SlabT& slab = chunk.slabs[i];
      slab.base = chunk.base + i * kSlabBytes;
      slab.size_class = SizeClass::kNone;
      slab.touched_bytes = touched_bytes;
      slab.purged_pages = 0;
      slab.freed_at = now;
      DirtyBytes::Add(touched_bytes);
      if constexpr (kGuardsMemory) {
        os::Guard(slab.base + kSlabUsableBytes, kSlabGuardBytes);
      }
    }
  }

  // The chunk where a walk begins: where the last one stopped, or the first.
  // Null when nothing can be due at `now`.
  ChunkT* BeginOrResumeWalk(uint64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ChunkT* chunk = std::exchange(resume_at_, nullptr)) return chunk;
    if (now < next_due_) return nullptr;
    next_due_ = UINT64_MAX;  // lowered again by the walk
    return held_.front();
  }

  // Lowers next_due_ to when the free slabs of `chunk` are due.
  void NoteDue(const ChunkT& chunk, uint64_t decay)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool is_all_free = chunk.free_mask == chunk.all_mask;
    for (uint32_t m = chunk.free_mask; m != 0; m &= m - 1) {
      const SlabT& slab = chunk.slabs[std::countr_zero(m)];
      if (is_all_free || slab.touched_bytes != 0) {
        next_due_ = std::min(next_due_, slab.freed_at + decay);
      }
    }
  }

  // Makes more slabs of the newest chunk usable, if some are not yet.
  bool MakeMoreSlabsUsable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ChunkT* chunk = growing_;
    if (chunk == nullptr) return false;
    const size_t count = SlabsOfChunk();
    const auto usable = static_cast<size_t>(std::popcount(chunk->all_mask));
    size_t next = std::min(count, usable + kSlabsAtOnce);
    if (!ChunkSource::MakeUsable(chunk->base, next * kSlabBytes)) {
      next = std::min(count, usable + kMinSlabs);
      if (!ChunkSource::MakeUsable(chunk->base, next * kSlabBytes)) {
        return false;
      }
    }
    BeginSlabs(*chunk, usable, next, /*touched_bytes=*/0, /*now=*/0);
    const uint32_t fresh = FirstSlabs(next) & ~chunk->all_mask;
    chunk->all_mask |= fresh;
    if (next == count) growing_ = nullptr;
    SetFreeMask(chunk, chunk->free_mask | fresh);
    return true;
  }

  static size_t SlabsOfChunk() {
    return options::Get(options::k_superslab_bytes) / kSlabBytes;
  }
  static uint32_t FirstSlabs(size_t count) {
    return static_cast<uint32_t>((uint64_t{1} << count) - 1);
  }

  // Frees the chunk. The caller puts its metadata in the pool.
  void Release(ChunkT* chunk, uint64_t now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    SetFreeMask(chunk, 0);
    if (resume_at_ == chunk) resume_at_ = held_.Next(chunk);
    if (chunk == growing_) growing_ = nullptr;
    held_.Remove(chunk);
    --held_count_;
    Pagemap::SetChunk(chunk->base, nullptr);
    if constexpr (kGuardsMemory) os::Unguard(chunk->base, kChunkBytes);
    ChunkSource::Free(chunk->base, DropSlabs(*chunk), now);
  }

  // Subtracts the chunk's slabs from DirtyBytes. Returns their resident bytes.
  static size_t DropSlabs(ChunkT& chunk) {
    size_t bytes = 0;
    for (uint32_t m = chunk.all_mask; m != 0; m &= m - 1) {
      bytes += TouchedPageBytes(chunk.slabs[std::countr_zero(m)]);
    }
    DirtyBytes::Subtract(bytes);
    return bytes;
  }

  static bool IsDue(const ChunkT& chunk, uint64_t now, uint64_t decay,
                    bool force) {
    if (force) return true;
    for (uint32_t m = chunk.all_mask; m != 0; m &= m - 1) {
      if (now < chunk.slabs[std::countr_zero(m)].freed_at + decay) return false;
    }
    return true;
  }

  // The free slabs to purge at `now`, or all with `force`.
  static uint32_t DueSlabs(const ChunkT& chunk, uint64_t now, uint64_t decay,
                           bool force) {
    uint32_t due = 0;
    for (uint32_t m = chunk.free_mask; m != 0; m &= m - 1) {
      const SlabT& slab = chunk.slabs[std::countr_zero(m)];
      if (slab.touched_bytes != 0 && (force || now >= slab.freed_at + decay)) {
        due |= m & -m;
      }
    }
    return due;
  }

  // Purges the slabs in `due`, neighbours as one range. Returns those purged.
  static uint32_t PurgeSlabs(const ChunkT& chunk, uint32_t due) {
    constexpr size_t kMostRuns = kSlabsPerChunk / 2;
    os::Range ranges[kMostRuns];
    uint32_t runs[kMostRuns];
    size_t count = 0;
    while (due != 0) {
      const int first = std::countr_zero(due);
      const int slabs = std::countr_one(due >> first);
      runs[count] = ~uint32_t{0} >> (kSlabsPerChunk - slabs) << first;
      ranges[count] = {chunk.slabs[first].base, slabs * kSlabBytes};
      due &= ~runs[count++];
    }
    uint32_t done = 0;
    for (uint64_t m = os::PurgeAll({ranges, count}); m != 0; m &= m - 1) {
      Count(Event::kPurge);
      done |= runs[std::countr_zero(m)];
    }
    return done;
  }

  size_t EndPurge(ChunkT* chunk, uint32_t due, uint32_t purged)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t bytes = 0;
    for (uint32_t m = purged; m != 0; m &= m - 1) {
      SlabT& slab = chunk->slabs[std::countr_zero(m)];
      bytes += TouchedPageBytes(slab);
      slab.touched_bytes = 0;
      slab.purged_pages = 0;
    }
    DirtyBytes::Subtract(bytes);
    Count(Event::kPurgedByte, bytes);
    SetFreeMask(chunk, chunk->free_mask | due);
    return bytes;
  }

  // Sets which slabs are free, and moves the chunk to the list for it.
  void SetFreeMask(ChunkT* chunk, uint32_t mask)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (chunk->free_mask != 0) {
      const size_t from = chunk->FreeSlabs();
      lists_[from].Remove(chunk);
      if (lists_[from].empty()) lists_with_free_ &= ~(uint64_t{1} << from);
    }
    chunk->free_mask = mask;
    if (mask != 0) {
      const size_t to = chunk->FreeSlabs();
      lists_[to].PushFront(chunk);
      lists_with_free_ |= uint64_t{1} << to;
    }
  }

  bool FreeSlabElsewhere(ChunkT* chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const size_t list = chunk->FreeSlabs();
    return lists_with_free_ != uint64_t{1} << list ||
           lists_[list].front() != chunk ||
           IntrusiveList<ChunkT>::Next(chunk) != nullptr;
  }

  static inline constinit MetadataAllocator<ChunkT> pool_;

  Mutex mutex_;
  HeldList held_ ABSL_GUARDED_BY(mutex_);
  size_t held_count_ ABSL_GUARDED_BY(mutex_) = 0;
  Density density_ ABSL_GUARDED_BY(mutex_);
  bool next_is_dense_ ABSL_GUARDED_BY(mutex_) = false;  // by the last sample
  // Where the next purge continues; null if the last one finished.
  ChunkT* resume_at_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // CoarseMilliseconds before which nothing is due; 0 if unknown.
  uint64_t next_due_ ABSL_GUARDED_BY(mutex_) = 0;
  // The newest chunk if not all of its slabs are usable, or null.
  ChunkT* growing_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // lists_[n]: chunks with n free slabs. lists_with_free_: a bit for each
  // non-empty list.
  IntrusiveList<ChunkT> lists_[kSlabsPerChunk + 1] ABSL_GUARDED_BY(mutex_);
  uint64_t lists_with_free_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Adds the contents of `source` to `totals`. The caller holds its slabs' locks.
template <typename SlabT>
void AddTotals(SlabSource<SlabT>& source, SlabTotals& totals) {
  source.VisitChunks([&](const SlabChunk<SlabT>& chunk) {
    ++totals.chunks;
    for (uint32_t m = chunk.all_mask; m != 0; m &= m - 1) {
      const SlabT& slab = chunk.slabs[std::countr_zero(m)];
      totals.committed_bytes += TouchedPageBytes(slab);
      if (slab.size_class == SizeClass::kNone) continue;
      ++totals.slabs;
      totals.block_bytes +=
          uint64_t{slab.block_bytes} * (slab.block_count - slab.free_count);
    }
  });
}

// Visits the slabs of `source` that have a class. Locks as for AddTotals.
template <typename SlabT>
void VisitSlabsOf(SlabSource<SlabT>& source, SlabVisitor visitor,
                  void* argument) {
  source.VisitChunks([&](const SlabChunk<SlabT>& chunk) {
    for (uint32_t m = chunk.all_mask; m != 0; m &= m - 1) {
      const SlabT& slab = chunk.slabs[std::countr_zero(m)];
      if (slab.size_class == SizeClass::kNone) continue;
      visitor(slab, TouchedPageBytes(slab), argument);
    }
  });
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_SOURCE_H_
