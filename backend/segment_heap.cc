#include "backend/segment_heap.h"

#include <bit>

#include "backend/address_map.h"
#include "backend/bad_free.h"
#include "backend/remote_frees.h"
#include "base/clock.h"
#include "tracing/counters.h"

namespace hakmem {

uint32_t SegmentBackend::Heap::Refill(SizeClass size_class, void** blocks,
                                      uint32_t count, Growth growth) {
  MutexLock lock(mutex);
  // relaxed: only whether it is worth looking; MergeRemoteFrees acquires.
  if (waiting_pages.load(std::memory_order_relaxed) != nullptr) {
    MergeRemoteFrees();
  }
  SlabPool<SegmentPage>& pool = pages[Index(size_class)];
  const uint32_t taken = pool.Take(blocks, count);
  if (taken != 0) return taken;
  SegmentPage* page = source.Take(size_class, growth);
  if (page == nullptr) return 0;
  // release: pairs with the acquire in CollectRemotePages.
  page->owner.store(this, std::memory_order_release);
  pool.AddEmpty(page);
  return pool.Take(blocks, count);
}

uint32_t SegmentBackend::Heap::DrainOwn(SizeClass size_class, void** blocks,
                                        uint32_t count) {
  uint32_t others = 0;
  MutexLock lock(mutex);
  for (uint32_t i = 0; i < count; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
    auto* page = SlabToDrain<SegmentPage>(address, size_class);
    // relaxed: the owner of a page with a block in use does not change.
    if (page->owner.load(std::memory_order_relaxed) != this) {
      blocks[others++] = blocks[i];
      continue;
    }
    const uint32_t block = page->BlockAt(address);
    if (block == Slab::kNotABlock || !page->Put(block)) {
      AbortOnBadSlabFree(*page, address);
    }
    AfterPut(page);
  }
  return others;
}

size_t SegmentBackend::Heap::Collect(uint64_t now, bool force) {
  {
    MutexLock lock(mutex);
    MergeRemoteFrees();
    for (SlabPool<SegmentPage>& pool : pages) {
      SegmentPage* spare = pool.TakeOldSpare(force);
      if (spare != nullptr) GiveBack(spare, now);
    }
  }
  return source.Purge(now, force);
}

void SegmentBackend::Heap::MergeRemoteFrees() {
  CollectRemotePages<SegmentPage>(
      this, [this](SegmentPage* page) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        bool any = false;
        for (uint32_t word = 0; word < page->words(); ++word) {
          std::atomic_ref<uint64_t> remote(page->remote_bits[word]);
          if (remote.load(std::memory_order_relaxed) == 0) continue;
          // acquire: pairs with the release in FreeRemotely; what the freeing
          // thread wrote to the blocks happened before.
          uint64_t bits = remote.exchange(0, std::memory_order_acquire);
          for (; bits != 0; bits &= bits - 1) {
            const uint32_t block =
                word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
            if (!page->Put(block)) {
              AbortOnBadSlabFree(
                  *page, page->base + block * uintptr_t{page->block_bytes});
            }
            any = true;
          }
        }
        if (any) AfterPut(page);
      });
}

void SegmentBackend::Heap::AfterPut(SegmentPage* page) {
  SegmentPage* unneeded = pages[Index(page->size_class)].AfterPut(page);
  if (unneeded != nullptr) GiveBack(unneeded, CoarseMilliseconds());
}

void SegmentBackend::Heap::GiveBack(SegmentPage* page, uint64_t now) {
  // relaxed: a collector that still reads this heap finds no bits to harvest.
  page->owner.store(nullptr, std::memory_order_relaxed);
  source.Return(page, now);
}

void FreeRemotely(void* const* blocks, uint32_t count) {
  for (uint32_t i = 0; i < count;) {
    auto* page = FindSlab<SegmentPage>(reinterpret_cast<uintptr_t>(blocks[i]));
    // Read before the bits are set: afterwards the page may be another's.
    // relaxed: it does not change while the block is in use.
    SegmentBackend::Heap* owner = page->owner.load(std::memory_order_relaxed);
    uint32_t word = 0;
    uint64_t bits = 0;
    // Neighbours in the batch are often neighbours in memory: one atomic OR
    // for a run of blocks in the same word.
    for (; i < count; ++i) {
      const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
      if (address - page->base >= kSlabBytes) break;
      const uint32_t block = page->BlockAt(address);
      if (block == Slab::kNotABlock) AbortOnBadSlabFree(*page, address);
      if (bits != 0 && block / 64 != word) break;
      word = block / 64;
      const uint64_t bit = uint64_t{1} << (block % 64);
      if ((bits & bit) != 0) AbortOnDoubleFree(address, page->block_bytes);
      bits |= bit;
    }
    // release: pairs with the acquire in MergeRemoteFrees.
    const uint64_t before = std::atomic_ref<uint64_t>(page->remote_bits[word])
                                .fetch_or(bits, std::memory_order_release);
    if ((before & bits) != 0) {
      const auto twice =
          word * 64 + static_cast<uint32_t>(std::countr_zero(before & bits));
      AbortOnDoubleFree(page->base + twice * uintptr_t{page->block_bytes},
                        page->block_bytes);
    }
    DeliverRemotePage(page, owner);
  }
  Count(Event::kRemoteFree, count);
}

}  // namespace hakmem
