#include "backend/superslab/superslab.h"

#include "backend/slabs/shared_slab_pools.h"
#include "backend/slabs/shared_slab_pools_check.h"

namespace hakmem {
namespace {

constinit SuperSlabBackend::Heap the_heap;
constinit SharedSlabPools<Slab, 1, kTinyClassCount> pools;

}  // namespace

SuperSlabBackend::Heap* SuperSlabBackend::Attach() { return &the_heap; }

void SuperSlabBackend::Detach(Heap*) {}

void SuperSlabBackend::StartBesideOthers(Heap*) {}

void SuperSlabBackend::SetQuiet(Heap*, bool) {}

uint32_t SuperSlabBackend::Refill(Heap*, SizeClass size_class, void** blocks,
                                  uint32_t count) {
  return pools.Refill(size_class, blocks, count);
}

uint32_t SuperSlabBackend::RefillApart(Heap*, SizeClass size_class,
                                       void** blocks, uint32_t count) {
  return pools.RefillApart(size_class, blocks, count);
}

void SuperSlabBackend::Drain(Heap*, SizeClass size_class, void** blocks,
                             uint32_t count) {
  pools.Drain(size_class, blocks, count);
}

const Slab* SuperSlabBackend::SlabAt(uintptr_t address) {
  return FindSlab<Slab>(address);
}

void SuperSlabBackend::EndEpoch(uint64_t now, bool force) {
  pools.EndEpoch(now, force);
}

size_t SuperSlabBackend::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  return pools.Purge(now, force, budget);
}

size_t SuperSlabBackend::Collect(uint64_t now, bool force) {
  EndEpoch(now, force);
  const size_t inside =
      PurgeInside({InnerPurge::DueOrAll(force), now, nullptr});
  return inside + Purge(now, force, nullptr);
}

size_t SuperSlabBackend::PurgeInside(const InnerPurge& purge) {
  return pools.PurgeInside(purge);
}

SlabTotals SuperSlabBackend::Totals() { return pools.Totals(); }

void SuperSlabBackend::VisitSlabs(SlabVisitor visitor, void* argument) {
  pools.VisitSlabs(visitor, argument);
}

void SuperSlabBackend::LockForFork() { pools.LockForFork(); }

void SuperSlabBackend::UnlockAfterFork() { pools.UnlockAfterFork(); }

void SuperSlabBackend::NoteHolder(HeapVerifier& check, Heap* heap) {
  check.Require(heap == &the_heap, "a thread has a heap that is none");
}

void SuperSlabBackend::VerifyInvariants(HeapVerifier& check) {
  pools.VerifyInvariants(check);
}

bool SuperSlabBackend::IsFreedRemotely(uintptr_t) { return false; }

}  // namespace hakmem
