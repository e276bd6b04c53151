// FreedBatch: blocks of one class on their way back to their slabs.
//
//   Resolve   before the lock: the slab and number of each block, by arithmetic
//             and the pagemap; what PutAll will touch is prefetched
//   PutAll    under the lock: a bit per block, and per run of blocks of one
//             slab one look at where the slab belongs
//
// A shuffled batch visits slabs at random, so most of its cost is cache misses
// on their metadata: prefetched together, outside the lock, they overlap.
// (tcmalloc's central free list maps objects to spans before its lock.)
#ifndef HAKMEM_BACKEND_SLABS_FREED_BATCH_H_
#define HAKMEM_BACKEND_SLABS_FREED_BATCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/block_start.h"
#include "backend/slabs/slab.h"
#include "backend/slabs/slab_source.h"
#include "base/size_classes.h"

namespace hakmem {

template <typename SlabT>
class FreedBatch {
 public:
  // Half of the largest bin: 1.7 KiB of stack.
  static constexpr uint32_t kMost = 64;

  // Resolves `count` blocks, at most kMost, that are freed as ones of
  // `size_class`. Aborts with one line for an address at which no block of that
  // class starts.
  FreedBatch(SizeClass size_class, void* const* blocks, uint32_t count)
      : size_class_(size_class) {
    const BlockNumbers numbers(size_class);
    uintptr_t base = UINTPTR_MAX;
    Run* run = runs_;  // the next one
    for (uint32_t i = 0; i < count; ++i) {
      const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
      const uint32_t block = numbers.Around(address);
      if (address - base >= kSlabBytes) {
        Chunk* chunk = Pagemap::ChunkAt(address);
        if (chunk == nullptr || chunk->kind != ChunkKind::kSlabs) [[unlikely]] {
          AbortOnForeignFree(address);
        }
        base = address & ~uintptr_t{kSlabBytes - 1};
        SlabT* slab = static_cast<SlabChunk<SlabT>*>(chunk)->SlabAt(address);
        slab->PrefetchForFree(block);
        *run++ = {slab, base, i};
      }
      if (!numbers.StartsAt(address)) [[unlikely]]
        AbortOnBadStart(address);
      blocks_[i] = static_cast<uint16_t>(block);
    }
    runs_end_ = run;
    run->begin = count;
  }
  FreedBatch(const FreedBatch&) = delete;
  FreedBatch& operator=(const FreedBatch&) = delete;

  bool IsEmpty() const { return runs_end_ == runs_; }

  // Keeps the blocks for which keeps(slab) is true, and writes the others to
  // `others`, which may be where the batch came from. Returns their number.
  template <typename Keeps>
  uint32_t Filter(void** others, Keeps&& keeps) {
    Run* kept = runs_;
    uint32_t kept_blocks = 0;
    uint32_t other_blocks = 0;
    for (const Run* at = runs_; at != runs_end_; ++at) {
      const Run run = *at;
      const uint32_t end = at[1].begin;
      if (keeps(run.slab)) {
        *kept++ = {run.slab, run.base, kept_blocks};
        std::copy(blocks_ + run.begin, blocks_ + end, blocks_ + kept_blocks);
        kept_blocks += end - run.begin;
      } else {
        for (uint32_t i = run.begin; i != end; ++i) {
          others[other_blocks++] = reinterpret_cast<void*>(AddressOf(run, i));
        }
      }
    }
    runs_end_ = kept;
    kept->begin = kept_blocks;
    return other_blocks;
  }

  // Frees the blocks, and calls after_put(slab) for each run of blocks of one
  // slab. The caller holds the slabs' lock. Aborts with one line when a block
  // is free already, or its slab is gone.
  template <typename AfterPut>
  void PutAll(AfterPut&& after_put) const {
    for (const Run* run = runs_; run != runs_end_; ++run) {
      SlabT* slab = run->slab;
      if (slab->size_class != size_class_) [[unlikely]] {
        AbortOnDoubleFree(AddressOf(*run, run->begin), ClassBytes(size_class_));
      }
      const uint32_t count = run[1].begin - run->begin;
      const uint32_t put = slab->PutRun(blocks_ + run->begin, count);
      if (put != count) [[unlikely]] {
        AbortOnBadFreeIn(*slab, AddressOf(*run, run->begin + put));
      }
      after_put(slab);
    }
  }

 private:
  // Blocks of one slab in a row.
  struct Run {
    SlabT* slab;
    uintptr_t base;  // as the slab's, which may be gone
    uint32_t begin;  // index of its first block; the next run's ends it
  };

  uintptr_t AddressOf(const Run& run, uint32_t i) const {
    return run.base + blocks_[i] * uintptr_t{ClassBytes(size_class_)};
  }

  [[noreturn, gnu::cold, gnu::noinline]] void AbortOnBadStart(
      uintptr_t address) const {
    AbortOnBadFreeIn(*SlabToDrain<SlabT>(address, size_class_), address);
  }

  const SizeClass size_class_;
  Run* runs_end_;
  uint16_t blocks_[kMost];
  Run runs_[kMost + 1];
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_FREED_BATCH_H_
