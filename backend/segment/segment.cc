#include "backend/segment/segment.h"

#include <algorithm>
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "backend/memory/metadata.h"
#include "backend/memory/metadata_check.h"
#include "backend/segment/segment_heap.h"
#include "backend/verify/heap_verifier.h"
#include "base/sync/lock.h"

namespace hakmem {
namespace {

using Heap = SegmentBackend::Heap;

constinit MetadataAllocator<Heap> heap_pool;

// Guards the lists of heaps and orphans. Heaps are never removed from
// all_heaps.
constinit Mutex heaps_mutex;
constinit Heap* all_heaps ABSL_GUARDED_BY(heaps_mutex) = nullptr;
constinit Heap* orphans ABSL_GUARDED_BY(heaps_mutex) = nullptr;
// Created on first use; never an orphan.
constinit Heap* nursery ABSL_GUARDED_BY(heaps_mutex) = nullptr;

// The heap at which the next purge continues; null if the last one finished.
// relaxed: heaps are permanent, and any of them will do.
constinit std::atomic<Heap*> resume_at{nullptr};

// How many orphans a thread tries before it takes a new segment.
constexpr int kMaxOrphansAsked = 4;

// Bytes a thread may take from the nursery in total, or have at once while it
// is quiet, and its smallest block.
constexpr uint32_t kMaxBorrowed = 128 << 10;
constexpr uint32_t kMinBorrowedBlock = 64;

// Creates a heap and adds it to the list. Null when the OS refuses memory.
Heap* MakeHeap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(heaps_mutex) {
  Heap* heap = heap_pool.Get();
  if (heap == nullptr) return nullptr;
  heap->next_heap = all_heaps;
  all_heaps = heap;
  return heap;
}

Heap* PopOrphan() {
  MutexLock lock(heaps_mutex);
  Heap* heap = orphans;
  if (heap != nullptr) orphans = heap->next_orphan;
  return heap;
}

Heap* FirstHeap() {
  MutexLock lock(heaps_mutex);
  return all_heaps;
}

uint32_t RefillFromOrphans(SizeClass size_class, void** blocks,
                           uint32_t count) {
  Heap* asked[kMaxOrphansAsked];
  int asked_count = 0;
  uint32_t taken = 0;
  // An orphan is off the list meanwhile, so that no thread adopts it or waits
  // for its lock.
  while (taken == 0 && asked_count < kMaxOrphansAsked) {
    Heap* orphan = PopOrphan();
    if (orphan == nullptr) break;
    asked[asked_count++] = orphan;
    taken = orphan->Refill(size_class, blocks, count, Heap::Growth::kPages);
  }
  if (asked_count != 0) {
    MutexLock lock(heaps_mutex);
    // Puts the one that had blocks first, where the next refill finds it.
    for (int i = 0; i < asked_count; ++i) {
      asked[i]->next_orphan = orphans;
      orphans = asked[i];
    }
  }
  return taken;
}

Heap* Nursery() {
  MutexLock lock(heaps_mutex);
  if (nursery == nullptr) nursery = MakeHeap();
  return nursery;
}

// Takes blocks from the nursery for a heap that has no page for them.
uint32_t Borrow(Heap& heap, SizeClass size_class, void** blocks,
                uint32_t count) {
  const uint32_t bytes = ClassBytes(size_class);
  const uint32_t most = heap.may_borrow.load(std::memory_order_relaxed);
  if (bytes < kMinBorrowedBlock || count * bytes > most) return 0;
  Heap* lender = Nursery();
  if (lender == nullptr) return 0;
  const uint32_t taken =
      lender->Refill(size_class, blocks, count, Heap::Growth::kSegments);
  heap.may_borrow.store(most - taken * bytes, std::memory_order_relaxed);
  return taken;
}

// Call when a thread frees `bytes` that are not its heap's. A quiet thread may
// borrow them again.
void Repay(Heap& heap, uint32_t bytes) {
  if (!heap.is_quiet.load(std::memory_order_relaxed)) return;
  const uint32_t before = heap.may_borrow.load(std::memory_order_relaxed);
  heap.may_borrow.store(std::min(before + bytes, kMaxBorrowed),
                        std::memory_order_relaxed);
}

// Runs `action` on every heap with its lock held.
template <typename Action>
void ForEachLocked(Action&& action) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Heap* heap = FirstHeap(); heap != nullptr; heap = heap->next_heap) {
    MutexLock lock(heap->mutex);
    action(*heap);
  }
}

}  // namespace

SegmentBackend::Heap* SegmentBackend::Attach() {
  Heap* heap = PopOrphan();
  if (heap != nullptr) {
    heap->may_borrow.store(0, std::memory_order_relaxed);
    heap->is_quiet.store(false, std::memory_order_relaxed);
    return heap;
  }
  MutexLock lock(heaps_mutex);
  return MakeHeap();
}

void SegmentBackend::StartBesideOthers(Heap* heap) {
  // An adopted orphan may have pages of its own.
  if (!heap->source.IsEmpty()) return;
  heap->may_borrow.store(kMaxBorrowed, std::memory_order_relaxed);
}

void SegmentBackend::SetQuiet(Heap* heap, bool is_quiet) {
  heap->is_quiet.store(is_quiet, std::memory_order_relaxed);
}

void SegmentBackend::Detach(Heap* heap) {
  MutexLock lock(heaps_mutex);
  heap->next_orphan = orphans;
  orphans = heap;
}

uint32_t SegmentBackend::Refill(Heap* heap, SizeClass size_class, void** blocks,
                                uint32_t count) {
  // A page more of its own is memory that others cannot use.
  const bool is_quiet = heap->is_quiet.load(std::memory_order_relaxed);
  uint32_t taken =
      heap->Refill(size_class, blocks, count,
                   is_quiet ? Heap::Growth::kNone : Heap::Growth::kPages);
  if (taken == 0 && is_quiet) taken = Borrow(*heap, size_class, blocks, count);
  if (taken == 0) taken = RefillFromOrphans(size_class, blocks, count);
  if (taken == 0 && !is_quiet) taken = Borrow(*heap, size_class, blocks, count);
  if (taken == 0) {
    taken = heap->Refill(size_class, blocks, count, Heap::Growth::kSegments);
  }
  return taken;
}

// A heap's own blocks are apart from those of others.
uint32_t SegmentBackend::RefillApart(Heap*, SizeClass, void**, uint32_t) {
  return 0;
}

void SegmentBackend::Drain(Heap* heap, SizeClass size_class, void** blocks,
                           uint32_t count) {
  if (heap != nullptr) count = heap->DrainOwn(size_class, blocks, count);
  if (count == 0) return;
  if (heap != nullptr) Repay(*heap, count * ClassBytes(size_class));
  FreeRemotely(size_class, blocks, count);
}

const Slab* SegmentBackend::SlabAt(uintptr_t address) {
  return FindSlab<SegmentSlab>(address);
}

void SegmentBackend::EndEpoch(uint64_t now, bool force) {
  for (Heap* heap = FirstHeap(); heap != nullptr; heap = heap->next_heap) {
    heap->EndEpoch(now, force);
  }
}

size_t SegmentBackend::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  size_t given_back = 0;
  Heap* heap =
      force ? nullptr : resume_at.exchange(nullptr, std::memory_order_relaxed);
  if (heap == nullptr) heap = FirstHeap();
  for (; heap != nullptr; heap = heap->next_heap) {
    given_back += heap->source.Purge(now, force, budget);
    if (PurgeBudget::IsSpent(budget)) {
      resume_at.store(heap, std::memory_order_relaxed);
      break;
    }
  }
  return given_back;
}

size_t SegmentBackend::Collect(uint64_t now, bool force) {
  EndEpoch(now, force);
  const size_t inside =
      PurgeInside({InnerPurge::DueOrAll(force), now, nullptr});
  return inside + Purge(now, force, nullptr);
}

size_t SegmentBackend::PurgeInside(const InnerPurge& purge) {
  size_t purged = 0;
  for (Heap* heap = FirstHeap(); heap != nullptr && purged < purge.most_bytes &&
                                 !PurgeBudget::IsSpent(purge.budget);
       heap = heap->next_heap) {
    InnerPurge part = purge;
    part.most_bytes = purge.most_bytes - purged;
    purged += heap->PurgeInside(part);
  }
  return purged;
}

SlabTotals SegmentBackend::Totals() {
  SlabTotals totals;
  ForEachLocked([&](Heap& heap) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // Blocks freed remotely are not in use, whether collected yet or not.
    heap.MergeRemoteFrees();
    AddTotals(heap.source, totals);
  });
  return totals;
}

void SegmentBackend::VisitSlabs(SlabVisitor visitor, void* argument) {
  ForEachLocked(
      [&](Heap& heap) { VisitSlabsOf(heap.source, visitor, argument); });
}

void SegmentBackend::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  heaps_mutex.Lock();
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    heap->mutex.Lock();
  }
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    heap->source.LockForFork();
  }
  SlabSource<SegmentSlab>::LockPoolForFork();
  heap_pool.LockForFork();
}

void SegmentBackend::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  heap_pool.UnlockAfterFork();
  SlabSource<SegmentSlab>::UnlockPoolAfterFork();
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    heap->source.UnlockAfterFork();
  }
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    heap->mutex.Unlock();
  }
  heaps_mutex.Unlock();
}

void SegmentBackend::NoteHolder(HeapVerifier& check, Heap* heap) {
  check.Require(!heap->has_holder, "a heap has two holders",
                reinterpret_cast<uintptr_t>(heap));
  heap->has_holder = true;
}

void SegmentBackend::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (nursery != nullptr) NoteHolder(check, nursery);
  CheckHeaps(all_heaps, orphans, check);
  heap_pool.VerifyInvariants(
      check, [](const Heap* free) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        Heap* heap = all_heaps;
        while (heap != nullptr && heap != free) {
          heap = heap->next_heap;
        }
        return heap != nullptr;
      });
}

bool SegmentBackend::IsFreedRemotely(uintptr_t address) {
  auto* page = FindSlab<SegmentSlab>(address);
  const uint32_t block = page->BlockAt(address);
  return (std::atomic_ref<uint64_t>(page->remote_bits[block / 64])
                  .load(std::memory_order_relaxed) >>
              (block % 64) &
          1) != 0;
}

}  // namespace hakmem
