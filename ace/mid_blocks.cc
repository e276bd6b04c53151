#include "ace/mid_blocks.h"

#include "ace/mid_slab.h"
#include "backend/slabs/shared_slab_pools.h"
#include "backend/slabs/shared_slab_pools_check.h"

namespace hakmem {
namespace {

constinit SharedSlabPools<MidSlab, kTinyClassCount, kClassCount> pools;

}  // namespace

uint32_t MidBlocks::Refill(SizeClass c, void** blocks, uint32_t count) {
  return pools.Refill(c, blocks, count);
}

void MidBlocks::Drain(SizeClass c, void* const* blocks, uint32_t count) {
  pools.Drain(c, blocks, count);
}

const Slab* MidBlocks::SlabAt(uintptr_t address) {
  return FindSlab<MidSlab>(address);
}

void MidBlocks::EndEpoch(uint64_t now, bool force) {
  pools.EndEpoch(now, force);
}

size_t MidBlocks::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  return pools.PurgeInside(now, force, budget) +
         pools.Purge(now, force, budget);
}

SlabTotals MidBlocks::Totals() { return pools.Totals(); }

void MidBlocks::VisitSlabs(SlabVisitor visitor, void* argument) {
  pools.VisitSlabs(visitor, argument);
}

size_t MidBlocks::HeldBytes() { return pools.BlockBytes(); }

void MidBlocks::LockForFork() { pools.LockForFork(); }

void MidBlocks::UnlockAfterFork() { pools.UnlockAfterFork(); }

void MidBlocks::VerifyInvariants(HeapVerifier& check) {
  pools.VerifyInvariants(check);
}

}  // namespace hakmem
