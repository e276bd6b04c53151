#include "tests/state_fuzz/slabs_model.h"

#include <algorithm>
#include <bit>

#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "base/os/clock.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMaxBlocks = 6000;
constexpr uint32_t kMaxBatch = 128;

SizeClass ClassNumber(size_t c) { return SizeClass{static_cast<uint8_t>(c)}; }

Slab* SlabOf(uintptr_t address) { return FindSlab<Slab>(address); }

// The eighths of its blocks that are free: a slab pool's sort key.
size_t Bucket(const Slab& slab) {
  return slab.free_count * size_t{8} / (slab.block_count + size_t{1});
}

}  // namespace

SlabsModel::SlabsModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      superslab_bytes_(options::k_superslab_bytes,
                       source.Between(kChunkBytes / 4, kChunkBytes)),
      take_weight_(source.Between(1, 6)),
      class_count_(source.Between(1, 6)),
      first_class_(source.Between(1, kClassCount - class_count_)),
      now_(CoarseMilliseconds()) {}

SlabsModel::~SlabsModel() {
  Faults::Disarm();
  while (!blocks_.empty()) {
    ByteSource none({});
    Put(none);
  }
  for (size_t c = 1; c < kClassCount; ++c) {
    Slab* spare = pools_[c].TakeOldSpare(/*force=*/true);
    if (spare != nullptr) source_.Return(spare, now_);
  }
  Purge(/*force=*/true);
  size_t chunks = 0;
  source_.VisitChunks([&](const SlabChunk<Slab>&) { ++chunks; });
  Check(chunks == 0, "%zu chunks are held, and no slab", chunks);
  ChunkSource::Purge(now_, /*force=*/true);
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
}

void SlabsModel::Perform(ByteSource& source) {
  switch (source.Choose({take_weight_, 4, 1, 1, 1, 1})) {
    case 0:
      return Take(source);
    case 1:
      for (uint64_t n = source.Doubling(1, 64); n != 0; --n) Put(source);
      return;
    case 2:
      return PutTwice(source);
    case 3:
      return ReturnSpare(source);
    case 4:
      return Purge(source.OneIn(3));
    case 5:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(400);
  }
}

void SlabsModel::Take(ByteSource& source) {
  const size_t c = first_class_ + source.Below(class_count_);
  const auto count = static_cast<uint32_t>(source.Doubling(1, kMaxBatch));
  if (blocks_.size() + count > kMaxBlocks) return;
  // The bucket of the fullest slab in use that has room; 8 if all are full.
  size_t fullest = 8;
  blocks_.ForEach([&](const LiveBlock& block) {
    const Slab& slab = *SlabOf(block.address);
    if (block.tag == c && !slab.IsFull()) {
      fullest = std::min(fullest, Bucket(slab));
    }
  });
  void* blocks[kMaxBatch];
  uint32_t taken = pools_[c].Take(blocks, count);
  if (taken == 0) {
    Check(fullest == 8, "nothing of class %zu, though a slab has room", c);
    const bool may_grow = !source.OneIn(3);
    const FaultWatch faults;
    Slab* slab = source_.Take(ClassNumber(c),
                              may_grow ? SlabSource<Slab>::Growth::kAllowed
                                       : SlabSource<Slab>::Growth::kForbidden);
    if (slab == nullptr) {
      return Check(!may_grow || faults.Happened(), "a slab refused by nobody");
    }
    Check(slab->base % kSlabBytes == 0 && slab->IsEmpty(),
          "slab at %#zx is not a fresh one", slab->base);
    Check(!blocks_.Overlaps(slab->base, kSlabBytes),
          "slab at %#zx is in use already", slab->base);
    pools_[c].AddEmpty(slab);
    taken = pools_[c].Take(blocks, count);
    Check(taken == std::min<uint32_t>(count, slab->block_count),
          "%u of %u blocks from an empty slab of %u", taken, count,
          slab->block_count);
  }
  // The first slab's blocks come last, each slab's in descending order.
  const Slab* first = SlabOf(reinterpret_cast<uintptr_t>(blocks[taken - 1]));
  uint32_t of_first = 0;
  while (of_first < taken && SlabOf(reinterpret_cast<uintptr_t>(
                                 blocks[taken - 1 - of_first])) == first) {
    ++of_first;
  }
  if (fullest != 8) {
    // As before the batch.
    const size_t bucket = (first->free_count + size_t{of_first}) * 8 /
                          (first->block_count + size_t{1});
    Check(bucket == fullest, "a batch from bucket %zu, there is one in %zu",
          bucket, fullest);
  }
  for (uint32_t i = 0; i < taken; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
    const Slab* slab = SlabOf(address);
    Check(slab->size_class == ClassNumber(c), "block of another class");
    if (i + 1 < taken && address - slab->base < kSlabBytes &&
        SlabOf(reinterpret_cast<uintptr_t>(blocks[i + 1])) == slab) {
      Check(blocks[i] > blocks[i + 1], "a batch not in descending order");
    }
    blocks_.Add(address, slab->block_bytes, c);
  }
}

void SlabsModel::Put(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Remove(blocks_.Pick(source).address);
  Slab* slab = SlabToDrain<Slab>(block.address, ClassNumber(block.tag));
  const uint32_t number = slab->BlockAt(block.address);
  Check(number != Slab::kNotABlock, "%#zx is not a block of its slab",
        block.address);
  Check(!slab->IsBlockFree(number), "a block in use is free");
  Check(slab->Put(number), "a block in use is not taken back");
  Slab* unneeded = pools_[block.tag].AfterPut(slab);
  if (unneeded == nullptr) return;
  Check(unneeded->IsEmpty(), "a slab in use is not needed");
  const uintptr_t base = unneeded->base;
  source_.Return(unneeded, now_);
  Check(Pagemap::ClassAt(base) == SizeClass::kNone,
        "a slab that went back has a class");
}

// Freeing a free block, or an address where no block starts, is refused.
void SlabsModel::PutTwice(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  Slab* slab = SlabOf(block.address);
  const uintptr_t inside = block.address + source.Between(1, block.bytes - 1);
  Check(slab->BlockAt(inside) == Slab::kNotABlock, "%#zx is a block", inside);
  const auto number = static_cast<uint32_t>(source.Below(slab->block_count));
  const uintptr_t address = slab->base + number * uintptr_t{slab->block_bytes};
  Check(slab->BlockAt(address) == number, "block %u at %#zx is not found",
        number, address);
  if (!blocks_.Overlaps(address, 1)) {
    Check(!slab->Put(number), "a free block is taken back");
  }
}

void SlabsModel::ReturnSpare(ByteSource& source) {
  const size_t c = first_class_ + source.Below(class_count_);
  Slab* spare = pools_[c].TakeOldSpare(source.OneIn(2));
  if (spare == nullptr) return;
  Check(spare->IsEmpty(), "a spare slab in use");
  source_.Return(spare, now_);
}

void SlabsModel::Purge(bool force) {
  const auto sum = [&] {
    SlabTotals totals;
    AddTotals(source_, totals);
    return totals;
  };
  const FaultWatch faults;
  const SlabTotals before = sum();
  const size_t given_back = source_.Purge(now_, force);
  const SlabTotals after = sum();
  Check(before.slabs == after.slabs && before.block_bytes == after.block_bytes,
        "a purge changed %zu slabs to %zu", size_t{before.slabs},
        size_t{after.slabs});
  // Memory of chunks that are freed is purged by the chunk source.
  Check(before.committed_bytes - after.committed_bytes >= given_back,
        "%zu bytes given back of %zu", given_back,
        size_t{before.committed_bytes - after.committed_bytes});
  Check(before.chunks != after.chunks ||
            before.committed_bytes - after.committed_bytes == given_back,
        "%zu bytes given back, not %zu", given_back,
        size_t{before.committed_bytes - after.committed_bytes});
  if (force && !faults.Happened()) {
    source_.VisitChunks([&](const SlabChunk<Slab>& chunk) {
      Check(chunk.free_mask != chunk.all_mask, "an unused chunk is held");
      for (uint32_t m = chunk.free_mask; m != 0; m &= m - 1) {
        const Slab& slab = chunk.slabs[std::countr_zero(m)];
        Check(slab.touched_bytes == 0, "a free slab is resident");
        Check(KernelMakesHugePagesUnasked() || run_.Happened() ||
                  KernelResidentBytes(slab.base, kSlabBytes) == 0,
              "the kernel holds the free slab at %#zx", slab.base);
      }
    });
  }
  ChunkSource::Purge(now_, force);
}

void SlabsModel::CheckSlab(const Slab& slab) {
  uint32_t free_blocks = 0;
  for (uint32_t word = 0; word < slab.words(); ++word) {
    free_blocks += static_cast<uint32_t>(std::popcount(slab.free_bits[word]));
    Check(word >= slab.scan_word || slab.free_bits[word] == 0,
          "a free block below word %u", slab.scan_word);
  }
  Check(free_blocks == slab.free_count, "%u bits, %u free blocks", free_blocks,
        slab.free_count);
  Check(slab.touched_bytes <= kSlabBytes, "%u bytes of a slab touched",
        slab.touched_bytes);
  Check(Pagemap::ClassAt(slab.base) == slab.size_class,
        "slab at %#zx is of another class for the map", slab.base);
}

void SlabsModel::CheckInvariants() {
  blocks_.CheckContents();
  size_t bytes = 0;
  size_t free_dirty = 0;
  source_.VisitChunks([&](const SlabChunk<Slab>& chunk) {
    for (uint32_t m = chunk.all_mask; m != 0; m &= m - 1) {
      const Slab& slab = chunk.slabs[std::countr_zero(m)];
      const bool is_free = (chunk.free_mask & m & -m) != 0;
      Check(is_free == (slab.size_class == SizeClass::kNone),
            "slab at %#zx is free: %d, its class is %zu", slab.base, is_free,
            Index(slab.size_class));
      if (is_free) {
        free_dirty += TouchedPageBytes(slab);
        continue;
      }
      CheckSlab(slab);
      bytes += size_t{slab.block_bytes} * (slab.block_count - slab.free_count);
    }
  });
  Check(bytes == blocks_.bytes(), "%zu bytes in blocks, not %zu", bytes,
        blocks_.bytes());
  blocks_.ForEach([](const LiveBlock& block) {
    const Slab* slab = SlabOf(block.address);
    const uint32_t number = slab->BlockAt(block.address);
    Check(number != Slab::kNotABlock && !slab->IsBlockFree(number),
          "the block at %#zx is free", block.address);
    Check(block.address + block.bytes <= slab->base + slab->touched_bytes,
          "the block at %#zx is not touched", block.address);
  });
  Check(DirtyBytes::Bytes() >= free_dirty,
        "%zu bytes in the ledger, %zu in free slabs", DirtyBytes::Bytes(),
        free_dirty);
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<SlabsModel>(bytes);
}

}  // namespace hakmem::fuzz
