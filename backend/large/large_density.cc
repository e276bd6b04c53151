#include "backend/large/large_density.h"

#include "backend/memory/density.h"
#include "backend/memory/huge_pages.h"
#include "base/os/os_memory.h"

namespace hakmem::large {
namespace {

// Shorter blocks get no advice.
constexpr size_t kMinBytes = 2 * kChunkBytes;

constinit Density density ABSL_GUARDED_BY(mutex);

struct Range {
  uintptr_t address = 0;
  size_t bytes = 0;
};

Range RangeOf(const LargeBlock* block) {
  return block == nullptr ? Range{} : Range{block->base, block->bytes};
}

// Decides by a range that may have a new owner by now: then the sample is of
// that memory, or of nothing.
bool WantsHugePages(const Range& range) ABSL_LOCKS_EXCLUDED(mutex) {
  if (range.bytes < kMinBytes) return false;
  const bool is_dense = Density::IsDense(range.address, range.bytes);
  MutexLock lock(mutex);
  return density.WantsHugePages(is_dense);
}

}  // namespace

void AdviseGrown(LargeBlock* block, size_t old_bytes) {
  const bool is_dense = Density::IsDense(block->base, old_bytes);
  if (is_dense == block->asked_for_huge_pages) return;
  block->asked_for_huge_pages =
      is_dense ? HugePages::AdviseDense(block->base, block->bytes)
               : !HugePages::AdviseSparse(block->base, block->bytes);
  // What is mapped differently from its neighbours is a mapping of its own.
  MutexLock lock(mutex);
  SetBorders(block, block->borders | 1);
  block->is_end_joined = false;
}

void SampleFreed(const LargeBlock& block) {
  (void)WantsHugePages(RangeOf(&block));
}

void AdviseIfDense(LargeBlock* block) {
  Range newest;
  {
    MutexLock lock(mutex);
    newest = RangeOf(blocks.empty() ? cached.back() : blocks.front());
  }
  if (WantsHugePages(newest) && block->bytes >= kMinBytes) {
    block->asked_for_huge_pages =
        HugePages::AdviseDense(block->base, block->bytes);
  }
}

bool IsCachedDense() {
  Range newest;
  {
    MutexLock lock(mutex);
    newest = RangeOf(cached.back());
  }
  return newest.bytes != 0 && os::IsMostlyTouched(newest.address, newest.bytes,
                                                  /*most_untouched=*/16);
}

}  // namespace hakmem::large
