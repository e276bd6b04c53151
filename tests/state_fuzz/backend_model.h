// Model of a back-end (backend/backend.h): the allocated blocks, regardless of
// the heap.
//
// Several heaps are attached and detached as if by as many threads; blocks are
// drained by any of them, or by none. In any order, a block is allocated again
// only after it was freed, and the totals include all blocks.
#ifndef HAKMEM_TESTS_STATE_FUZZ_BACKEND_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_BACKEND_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/inner_purge.h"
#include "base/os/clock.h"
#include "base/size_classes.h"
#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/model.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

template <Backend B>
class BackendModel {
 public:
  using Heap = typename B::Heap;

  explicit BackendModel(ByteSource& source)
      : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
        superslab_bytes_(options::k_superslab_bytes,
                         source.Between(kChunkBytes / 4, kChunkBytes)),
        refill_weight_(source.Between(1, 6)),
        class_count_(source.Between(1, 6)),
        first_class_(source.Between(1, kTinyClassCount - class_count_)),
        now_(CoarseMilliseconds()) {
    Check(B::Totals().block_bytes == 0, "blocks are in use at the start");
  }

  ~BackendModel() {
    Faults::Disarm();
    ByteSource none({});
    while (!blocks_.empty()) Drain(none);
    for (Heap* heap : heaps_) B::Detach(heap);
    // Twice: the second round releases what the first found empty.
    for (int round = 0; round < 2; ++round) {
      B::Collect(now_, /*force=*/true);
      ChunkSource::Purge(now_, /*force=*/true);
    }
    const SlabTotals totals = B::Totals();
    Check(totals.block_bytes == 0 && totals.slabs == 0 && totals.chunks == 0 &&
              totals.committed_bytes == 0,
          "%zu bytes in blocks, %zu slabs, %zu chunks, %zu bytes resident left",
          size_t{totals.block_bytes}, size_t{totals.slabs},
          size_t{totals.chunks}, size_t{totals.committed_bytes});
    Check(DirtyBytes::Bytes() == 0 && DirtyBytes::Idle() == 0,
          "%zu bytes are left in the ledger, and %zu idle", DirtyBytes::Bytes(),
          DirtyBytes::Idle());
  }

  void Perform(ByteSource& source) {
    switch (source.Choose({refill_weight_, 4, 1, 1, 1, 1, 1})) {
      case 0:
        return Refill(source);
      case 1:
        return Drain(source);
      case 2:
        return Attach(source);
      case 3:
        return Detach(source);
      case 4:
        if (source.OneIn(3)) return PurgeIdle(source);
        return Collect(source.OneIn(3));
      case 5:
        if (source.OneIn(2)) return Faults::Arm(source);
        now_ += source.Below(400);
        return;
      case 6:
        if (heaps_.empty()) return;
        return B::SetQuiet(heaps_[source.Below(heaps_.size())],
                           source.OneIn(2));
    }
  }

  void CheckInvariants() {
    blocks_.CheckContents();
    const SlabTotals totals = B::Totals();
    Check(totals.block_bytes == blocks_.bytes(),
          "%zu bytes in blocks, the model says %zu", size_t{totals.block_bytes},
          blocks_.bytes());
    Check(totals.slabs * kSlabBytes <= totals.chunks * kChunkBytes &&
              totals.committed_bytes <= totals.chunks * kChunkBytes,
          "%zu slabs and %zu bytes resident in %zu chunks",
          size_t{totals.slabs}, size_t{totals.committed_bytes},
          size_t{totals.chunks});
    size_t visited = 0;
    B::VisitSlabs(
        [](const Slab& slab, uint64_t, void* sum) {
          *static_cast<size_t*>(sum) +=
              size_t{slab.block_bytes} * (slab.block_count - slab.free_count);
        },
        &visited);
    Check(visited == blocks_.bytes(), "%zu bytes in the slabs visited, not %zu",
          visited, blocks_.bytes());
    blocks_.ForEach([](const LiveBlock& block) {
      Check(Index(Pagemap::ClassAt(block.address)) == block.tag,
            "the block at %#zx has class %zu for the map, not %zu",
            block.address, Index(Pagemap::ClassAt(block.address)),
            size_t{block.tag});
      const Slab* slab = B::SlabAt(block.address);
      const uint32_t number = slab->BlockAt(block.address);
      Check(number != Slab::kNotABlock && !slab->IsBlockFree(number),
            "the block at %#zx is free", block.address);
    });
    if (run_.Happened()) return;  // see FaultWatch
    const size_t resident = ResidentInChunksOf(blocks_);
    Check(resident <= totals.committed_bytes,
          "the kernel holds %zu bytes, the back-end says %zu", resident,
          size_t{totals.committed_bytes});
  }

 private:
  static constexpr size_t kMaxBlocks = 6000;
  static constexpr uint32_t kMaxBatch = 128;
  static constexpr size_t kMaxHeaps = 5;

  // The heap of a thread that starts alone, or beside others.
  void Attach(ByteSource& source) {
    if (heaps_.size() == kMaxHeaps) return;
    const FaultWatch faults;
    Heap* heap = B::Attach();
    if (heap == nullptr) {
      return Check(faults.Happened(), "a heap refused by nobody");
    }
    if (source.OneIn(2)) B::StartBesideOthers(heap);
    heaps_.push_back(heap);
  }

  void Detach(ByteSource& source) {
    if (heaps_.empty()) return;
    const size_t place = source.Below(heaps_.size());
    B::Detach(heaps_[place]);
    heaps_.erase(heaps_.begin() + static_cast<ptrdiff_t>(place));
  }

  void Refill(ByteSource& source) {
    if (heaps_.empty()) Attach(source);
    if (heaps_.empty()) return;
    Heap* heap = heaps_[source.Below(heaps_.size())];
    const size_t c = first_class_ + source.Below(class_count_);
    const auto count = static_cast<uint32_t>(source.Doubling(1, kMaxBatch));
    if (blocks_.size() + count > kMaxBlocks) return;
    const auto size_class = SizeClass{static_cast<uint8_t>(c)};
    void* batch[kMaxBatch];
    const FaultWatch faults;
    const uint32_t taken = B::Refill(heap, size_class, batch, count);
    Check(taken <= count, "%u blocks of %u asked for", taken, count);
    Check(taken != 0 || faults.Happened(), "a batch refused by nobody");
    for (uint32_t i = 0; i < taken; ++i) {
      const auto address = reinterpret_cast<uintptr_t>(batch[i]);
      Check(address % kBlockAlignment == 0, "block at %#zx", address);
      blocks_.Add(address, ClassBytes(size_class), c);
    }
  }

  // Drains a batch of one class, by one of the heaps or none.
  void Drain(ByteSource& source) {
    if (blocks_.empty()) return;
    const uint64_t c = blocks_.Pick(source).tag;
    const size_t place = source.Below(heaps_.size() + 1);
    Heap* heap = place == heaps_.size() ? nullptr : heaps_[place];
    // A few, or all, so that slabs and chunks are freed too.
    std::vector<uintptr_t> addresses;
    if (source.OneIn(6)) {
      blocks_.ForEach([&](const LiveBlock& block) {
        if (block.tag == c) addresses.push_back(block.address);
      });
      for (uintptr_t address : addresses) blocks_.Remove(address);
    } else {
      for (uint64_t n = source.Doubling(1, 64); n != 0; --n) {
        if (blocks_.empty()) break;
        const LiveBlock block = blocks_.Pick(source);
        if (block.tag != c) continue;
        addresses.push_back(blocks_.Remove(block.address).address);
      }
    }
    void* batch[kMaxBatch];
    for (size_t done = 0; done < addresses.size();) {
      const size_t count = std::min<size_t>(addresses.size() - done, kMaxBatch);
      for (size_t i = 0; i < count; ++i) {
        batch[i] = reinterpret_cast<void*>(addresses[done + i]);
      }
      B::Drain(heap, SizeClass{static_cast<uint8_t>(c)}, batch,
               static_cast<uint32_t>(count));
      done += count;
    }
  }

  void PurgeIdle(ByteSource& source) {
    const SlabTotals before = B::Totals();
    const size_t purged =
        B::PurgeInside({InnerPurge::Which::kThin, now_, nullptr,
                        source.Doubling(1, kChunkBytes)});
    const SlabTotals after = B::Totals();
    Check(before.block_bytes == after.block_bytes, "blocks were purged");
    Check(before.committed_bytes - after.committed_bytes >= purged,
          "%zu bytes purged of %zu", purged,
          size_t{before.committed_bytes - after.committed_bytes});
  }

  void Collect(bool force) {
    const SlabTotals before = B::Totals();
    const size_t given_back = B::Collect(now_, force);
    const SlabTotals after = B::Totals();
    Check(before.block_bytes == after.block_bytes, "blocks were collected");
    Check(before.committed_bytes - after.committed_bytes >= given_back,
          "%zu bytes given back of %zu", given_back,
          size_t{before.committed_bytes - after.committed_bytes});
    ChunkSource::Purge(now_, force);
  }

  const FaultWatch run_;
  const OptionGuard decay_;
  const OptionGuard superslab_bytes_;
  const uint64_t refill_weight_;
  const size_t class_count_;  // number of classes in this run
  const size_t first_class_;
  uint64_t now_;
  std::vector<Heap*> heaps_;
  LiveBlocks blocks_;  // tag: the class
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_BACKEND_MODEL_H_
