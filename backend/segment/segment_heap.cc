#include "backend/segment/segment_heap.h"

#include <algorithm>
#include <bit>

#include "backend/errors/error_reporting.h"
#include "backend/segment/remote_frees.h"
#include "backend/slabs/block_start.h"
#include "backend/slabs/freed_batch.h"
#include "base/os/clock.h"
#include "tracing/counters/counters.h"

namespace hakmem {

uint32_t SegmentBackend::Heap::Refill(SizeClass size_class, void** blocks,
                                      uint32_t count, Growth growth) {
  MutexLock lock(mutex);
  SlabPool<SegmentSlab>& pool = pages[Index(size_class)];
  uint32_t taken = pool.Take(blocks, count);
  // As late as possible: the more blocks are merged at once, the cheaper each
  // is. relaxed: only a hint whether to look; MergeRemoteFrees acquires.
  if (taken == 0 && waiting_links.load(std::memory_order_relaxed) != nullptr) {
    MergeRemoteFrees();
    taken = pool.Take(blocks, count);
  }
  if (taken != 0 || growth == Growth::kNone) return taken;
  using SourceGrowth = SlabSource<SegmentSlab>::Growth;
  SegmentSlab* page = source.Take(size_class, growth == Growth::kSegments
                                                  ? SourceGrowth::kAllowed
                                                  : SourceGrowth::kForbidden);
  if (page == nullptr) return 0;
  SetOwner(page);
  pool.AddEmpty(page);
  return pool.Take(blocks, count);
}

uint32_t SegmentBackend::Heap::DrainOwn(SizeClass size_class, void** blocks,
                                        uint32_t count) {
  uint32_t others = 0;
  for (uint32_t done = 0, n; done < count; done += n) {
    n = std::min(count - done, FreedBatch<SegmentSlab>::kMost);
    FreedBatch<SegmentSlab> batch(size_class, blocks + done, n);
    others += batch.Filter(blocks + others, [this](const SegmentSlab* page) {
      // relaxed: the owner of a page with a block in use does not change.
      return page->owner.load(std::memory_order_relaxed) == this;
    });
    if (batch.IsEmpty()) continue;
    MutexLock lock(mutex);
    batch.PutAll([this](SegmentSlab* page)
                     ABSL_NO_THREAD_SAFETY_ANALYSIS { AfterPut(page); });
  }
  return others;
}

void SegmentBackend::Heap::EndEpoch(uint64_t now, bool force) {
  MutexLock lock(mutex);
  MergeRemoteFrees();
  for (SlabPool<SegmentSlab>& pool : pages) {
    SegmentSlab* spare = pool.TakeOldSpare(force);
    if (spare != nullptr) GiveBack(spare, now);
  }
}

void SegmentBackend::Heap::MergeRemoteFrees() {
  CollectRemoteLinks<RemoteLink>(
      this, [this](RemoteLink* link) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        SegmentSlab* const page = link->page;
        bool any = false;
        for (uint32_t word = 0; word < page->words(); ++word) {
          std::atomic_ref<uint64_t> remote(page->remote_bits[word]);
          if (remote.load(std::memory_order_relaxed) == 0) continue;
          // acquire: pairs with the release in RemoteBatch::Deliver; what the
          // freeing thread wrote to the blocks happened before.
          const uint64_t bits = remote.exchange(0, std::memory_order_acquire);
          if (const uint64_t twice = page->PutWord(word, bits); twice != 0) {
            const uint32_t block =
                word * 64 + static_cast<uint32_t>(std::countr_zero(twice));
            AbortOnBadFreeIn(*page,
                             page->base + block * uintptr_t{page->block_bytes});
          }
          any = true;
        }
        if (any) AfterPut(page);
      });
}

void SegmentBackend::Heap::SetOwner(SegmentSlab* page) {
  RemoteLink* link =
      FindSlabChunk<SegmentSlab>(page->base)->LastingAt(page->base);
  // release: pairs with the acquire in CollectRemoteLinks.
  link->owner.store(this, std::memory_order_release);
  // relaxed: a thread that frees a block got it through the program, which
  // synchronises.
  page->owner.store(this, std::memory_order_relaxed);
}

void SegmentBackend::Heap::AfterPut(SegmentSlab* page) {
  SegmentSlab* unneeded = pages[Index(page->size_class)].AfterPut(page);
  idle.AfterPut(page);
  if (unneeded != nullptr) GiveBack(unneeded, CoarseMilliseconds());
}

size_t SegmentBackend::Heap::PurgeInside(const InnerPurge& purge) {
  return purge.Run<SegmentSlab>(
      *this, source, [&](SegmentSlab* page) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        GiveBack(page, purge.now);
      });
}

void SegmentBackend::Heap::GiveBack(SegmentSlab* page, uint64_t now) {
  idle.Remove(page);
  RemoteLink* link =
      FindSlabChunk<SegmentSlab>(page->base)->LastingAt(page->base);
  // relaxed: a collector that still reads this heap delivers the link to it
  // needlessly. The page's own owner is not read until it is reused.
  link->owner.store(nullptr, std::memory_order_relaxed);
  page->owner.store(nullptr, std::memory_order_relaxed);
  source.Return(page, now);
}

namespace {

// A batch of blocks of one page, as words of remote bits.
class RemoteBatch {
 public:
  // For the page at `address`, a block of `size_class`.
  RemoteBatch(uintptr_t address, SizeClass size_class)
      : page_(SlabToDrain<SegmentSlab>(address, size_class)),
        base_(address & ~uintptr_t{kSlabBytes - 1}),
        numbers_(size_class) {}

  // Adds the block at `address`; false if it lies in another page.
  bool Add(uintptr_t address) {
    if (address - base_ >= kSlabBytes) return false;
    if (!numbers_.StartsAt(address)) AbortOnBadFreeIn(*page_, address);
    const uint32_t block = numbers_.Around(address);
    const uint32_t word = block / 64;
    const uint64_t bit = uint64_t{1} << (block % 64);
    if ((words_ >> word & 1) == 0) {
      words_ |= uint64_t{1} << word;
      bits_[word] = 0;
    }
    if ((bits_[word] & bit) != 0) {
      AbortOnDoubleFree(address, page_->block_bytes);
    }
    bits_[word] |= bit;
    return true;
  }

  // One atomic OR for each word.
  void Deliver() {
    // Read before the bits are set: afterwards the page may have another owner,
    // and its metadata may be purged. relaxed: the owner does not change while
    // one of the page's blocks is in use.
    SegmentBackend::Heap* owner = page_->owner.load(std::memory_order_relaxed);
    RemoteLink* link = FindSlabChunk<SegmentSlab>(base_)->LastingAt(base_);
    for (; words_ != 0; words_ &= words_ - 1) {
      const int word = std::countr_zero(words_);
      // release: pairs with the acquire in MergeRemoteFrees.
      const uint64_t before =
          std::atomic_ref<uint64_t>(page_->remote_bits[word])
              .fetch_or(bits_[word], std::memory_order_release);
      if (const uint64_t twice = before & bits_[word]; twice != 0) {
        const int block = word * 64 + std::countr_zero(twice);
        AbortOnDoubleFree(
            page_->base + static_cast<uintptr_t>(block) * page_->block_bytes,
            page_->block_bytes);
      }
    }
    DeliverRemoteLink(link, owner);
  }

 private:
  SegmentSlab* const page_;
  const uintptr_t base_;
  const BlockNumbers numbers_;
  uint64_t words_ = 0;  // a bit per word of bits_ in use
  uint64_t bits_[kMaxSlabBlocks / 64];
};

}  // namespace

void FreeRemotely(SizeClass size_class, void** blocks, uint32_t count) {
  Count(Event::kRemoteFree, count);
  // A batch has one size class: its blocks lie in few pages, in any order.
  while (count != 0) {
    RemoteBatch batch(reinterpret_cast<uintptr_t>(blocks[0]), size_class);
    uint32_t others = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (!batch.Add(reinterpret_cast<uintptr_t>(blocks[i]))) {
        blocks[others++] = blocks[i];
      }
    }
    batch.Deliver();
    count = others;
  }
}

}  // namespace hakmem
