#include "backend/large_density.h"

#include "backend/huge_pages.h"
#include "base/os_memory.h"

namespace hakmem::large {
namespace {

// Whether the program touches what it asks for, going by the last block with
// small pages that was freed; of so many fresh blocks one has those.
constexpr size_t kControlEvery = 8;
constinit bool is_dense ABSL_GUARDED_BY(mutex) = false;
constinit size_t fresh_blocks ABSL_GUARDED_BY(mutex) = 0;

}  // namespace

void AskForHugePages(LargeBlock* block) {
  if (block->asked_for_huge_pages) return;
  block->asked_for_huge_pages = true;
  HugePages::AdviseDense(block->base, block->bytes);
}

void LookAtDensity(const LargeBlock& block) {
  if (block.asked_for_huge_pages || block.moved_chunks != 0 ||
      block.bytes < 2 * kChunkBytes) {
    return;
  }
  const uintptr_t middle =
      block.base + block.bytes / 2 / kChunkBytes * kChunkBytes;
  is_dense = os::ResidentBytes(middle, kChunkBytes) >= kChunkBytes / 8 * 7;
}

void AskIfDense(LargeBlock* block) {
  {
    MutexLock lock(mutex);
    if (!is_dense || block->bytes < 2 * kChunkBytes ||
        ++fresh_blocks % kControlEvery == 0) {
      return;
    }
  }
  AskForHugePages(block);
}

}  // namespace hakmem::large
