// InnerPurge: purges the free pages of slabs in use.
//
// A block in use keeps the slab of 64 KiB from being freed; the pages that lie
// in free blocks only go back to the OS nevertheless. IdleSlabs is the queue of
// slabs that may have such pages:
//
//   a block is freed ──► tail │ slab │ slab │ slab │ head ──► a look at it
//                          └──────── pages wait ◄───────────┘
//
// A look purges the pages that have been free since the last one, at least half
// the decay time ago. Then the slab waits for the next look, or leaves the
// queue until another of its blocks is freed. So the head is always the slab
// that was looked at longest ago, and a heap that nothing is freed in costs
// nothing. There are two queues: slabs that are nearly empty have their own.
//
// The lock is not held during the system call. Meanwhile the blocks on the
// pages are withdrawn: they count as used, so the slab stays where it is.
//
// Not thread-safe: IdleSlabs is guarded by the lock of its owner.
#ifndef HAKMEM_BACKEND_SLABS_INNER_PURGE_H_
#define HAKMEM_BACKEND_SLABS_INNER_PURGE_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/errors/error_reporting.h"
#include "backend/memory/purge_batch.h"
#include "backend/memory/purge_budget.h"
#include "backend/slabs/slab.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "base/intrusive_list.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "tracing/counters/counters.h"

namespace hakmem {

class HeapVerifier;

// Free pages of a slab while the kernel purges them.
struct WithdrawnPages {
  Slab* slab;
  uint32_t pages;
  bool is_purged;
};

// What to purge, and for how long.
struct InnerPurge {
  enum class Which {
    kDue,   // pages that were free at the last look, half the decay time ago
    kThin,  // free pages of slabs that are nearly empty, whatever their age
    kAll    // all free pages
  };

  Which which;
  uint64_t now;                  // CoarseMilliseconds
  PurgeBudget* budget;           // null: no limit
  size_t most_bytes = SIZE_MAX;  // about; purges no more

  static constexpr Which DueOrAll(bool force) {
    return force ? Which::kAll : Which::kDue;
  }

  // Purges pages of the slabs of `owner`, which are from `source`; they become
  // free by `free(slab)` if they are empty afterwards. Returns the bytes
  // purged. Call it without a lock. The owner has a `mutex`, which guards its
  // slabs, IdleSlabs `idle`, PoolOf(size class) and ListAllPartial().
  template <typename SlabT, typename Owner, typename Free>
  size_t Run(Owner& owner, SlabSource<SlabT>& source,
             Free&& free) const ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  static constexpr size_t kMostSlabs = 16;

  static size_t PutBack(Slab& slab, const WithdrawnPages& withdrawn);
};

template <typename SlabT>
class IdleSlabs {
 public:
  constexpr IdleSlabs() = default;

  // Call after blocks of `slab` were freed, and its pool was told.
  void AfterPut(SlabT* slab) {
    if (slab->bucket >= kLeastBucket && slab->idle_queue < QueueFor(*slab))
        [[unlikely]] {
      Remove(slab);
      Add(slab);
    }
  }

  // Call before `slab` is freed.
  void Remove(SlabT* slab) {
    if (slab->idle_queue == 0) return;
    queues_[slab->idle_queue - 1].Remove(slab);
    slab->idle_queue = 0;
    slab->SetIdlePages(0);
  }

  // Adds all slabs of `pool` with free and used blocks.
  void AddAll(const SlabPool<SlabT>& pool) {
    pool.VisitPartial([this](SlabT* slab) {
      if (slab->idle_queue == 0) Add(slab);
      return true;
    });
  }

  // Withdraws the pages `purge` asks for of up to `most` slabs into `out`.
  // `pool_of(slab)` is its pool. Returns how many slabs; sets `*is_done` if the
  // others must wait.
  template <typename PoolOf>
  size_t Withdraw(WithdrawnPages* out, size_t most, const InnerPurge& purge,
                  bool* is_done, PoolOf&& pool_of) {
    size_t count = 0;
    for (int looks = 0; count < most; ++looks) {
      if (looks == kMostLooks) return count;
      SlabT* slab = Next(purge);
      if (slab == nullptr) break;
      const uint32_t due = TakeDue(slab, purge.which, purge.now);
      if (due == 0) continue;
      slab->WithdrawPages(due);
      pool_of(slab).AfterWithdrawal(slab);
      out[count++] = {slab, due, true};
    }
    *is_done = count < most;
    return count;
  }

  // Checks the invariants (heap_verifier.h), and that the slabs of the owner
  // that say so, `queued`, are in its queues.
  [[gnu::cold]] void VerifyInvariants(
      uint64_t queued, HeapVerifier& check) const;  // inner_purge_check.h

 private:
  // Long blocks cover pages alone. Tiny ones seldom leave whole pages free
  // before a quarter of the slab is, and a purge of fewer pages than that costs
  // more than they are worth.
  static constexpr bool kHasLongBlocks = requires { SlabT::kHasLongBlocks; };
  static constexpr uint8_t kLeastBucket = kHasLongBlocks ? 1 : 3;
  static constexpr int kLeastPages = kHasLongBlocks ? 1 : 4;

  static constexpr int kMostLooks = 64;  // while the lock is held

  // The queues: of nearly empty slabs (at least seven eighths are free), whose
  // free blocks are the last that a program takes, and of others.
  static constexpr uint8_t kOthers = 1;
  static constexpr uint8_t kThin = 2;
  static uint8_t QueueFor(const SlabT& slab) {
    return slab.bucket == SlabPool<SlabT>::kBuckets ? kThin : kOthers;
  }

  void Add(SlabT* slab) {
    slab->idle_queue = QueueFor(*slab);
    slab->idle_since = 0;
    queues_[slab->idle_queue - 1].PushBack(slab);
  }

  // The slab to look at next; null if there is none, or it must wait.
  SlabT* Next(const InnerPurge& purge) const {
    for (const uint8_t queue : {kThin, kOthers}) {
      Slab* slab = queues_[queue - 1].front();
      if (slab != nullptr && (purge.which != InnerPurge::Which::kDue ||
                              purge.now >= slab->idle_since + Wait())) {
        return static_cast<SlabT*>(slab);
      }
      if (purge.which == InnerPurge::Which::kThin) break;
    }
    return nullptr;
  }

  static uint64_t Wait() { return options::Get(options::k_decay) / 2; }

  // Looks at a slab. Returns its pages to purge.
  uint32_t TakeDue(SlabT* slab, InnerPurge::Which which, uint64_t now) {
    const bool is_due = which == InnerPurge::Which::kDue;
    // No page, if no block is free, or all are.
    const uint32_t free =
        slab->bucket == 0 ? 0 : slab->FreePages() & ~slab->purged_pages;
    uint32_t due = is_due ? free & slab->idle_pages : free;
    if (which != InnerPurge::Which::kAll && std::popcount(due) < kLeastPages) {
      due = 0;
    }
    Remove(slab);
    const uint32_t idle = free & ~due;
    if (is_due && std::popcount(idle) >= kLeastPages) {
      Add(slab);
      slab->SetIdlePages(idle);
      slab->idle_since = now;
    }
    return due;
  }

  IntrusiveList<Slab, IdleSlabsTag> queues_[2];
};

template <typename SlabT, typename Owner, typename Free>
size_t InnerPurge::Run(Owner& owner, SlabSource<SlabT>& source,
                       Free&& free) const {
  size_t bytes = 0;
  if (which == Which::kAll) {
    MutexLock lock(owner.mutex);
    owner.ListAllPartial();
  }
  for (bool is_done = false;
       !is_done && bytes < most_bytes && !PurgeBudget::IsSpent(budget);) {
    WithdrawnPages withdrawn[kMostSlabs];
    size_t count;
    {
      MutexLock lock(owner.mutex);
      count = owner.idle.Withdraw(
          withdrawn, kMostSlabs, *this, &is_done, [&](SlabT * slab) -> auto& {
            return owner.PoolOf(slab->size_class);
          });
    }
    if (count == 0) continue;
    PurgeBatch purges;
    for (size_t i = 0; i < count; ++i) {
      WithdrawnPages& w = withdrawn[i];
      source.BecomeSparse(static_cast<SlabT&>(*w.slab));
      w.slab->ForEachPageRun(w.pages, [&](uintptr_t address, size_t length) {
        purges.Add(address, length, &w.is_purged);
      });
    }
    purges.Purge();
    MutexLock lock(owner.mutex);
    for (size_t i = 0; i < count; ++i) {
      auto* slab = static_cast<SlabT*>(withdrawn[i].slab);
      bytes += PutBack(*slab, withdrawn[i]);
      SlabT* unneeded = owner.PoolOf(slab->size_class).AfterPut(slab);
      if (!withdrawn[i].is_purged) {
        owner.idle.AfterPut(slab);  // another time
        is_done = true;
      }
      if (unneeded != nullptr) free(unneeded);
    }
  }
  Count(Event::kPurgedByte, bytes);
  return bytes;
}

// Returns the bytes no longer resident.
inline size_t InnerPurge::PutBack(Slab& slab, const WithdrawnPages& withdrawn) {
  const size_t before = TouchedPageBytes(slab);
  const uint32_t twice =
      slab.PutBackPages(withdrawn.pages, withdrawn.is_purged);
  if (twice != Slab::kNotABlock) [[unlikely]] {
    AbortOnBadFreeIn(slab, slab.base + twice * uintptr_t{slab.block_bytes});
  }
  return before - TouchedPageBytes(slab);
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_INNER_PURGE_H_
