// Whether the program touches what it asks the page heap for: a large buffer
// may stay mostly unused, and then huge pages under it would be waste.
//
// Of every kControlEvery chunks one is left to small pages, and when it has
// been filled the kernel is asked how much of it is resident. That answers for
// the chunks to come, until the next one is asked about.
//
// Not thread-safe: the page heap's lock guards it.
#ifndef HAKMEM_BACKEND_DENSITY_H_
#define HAKMEM_BACKEND_DENSITY_H_

#include <cstddef>

#include "backend/page_chunk.h"
#include "base/os_memory.h"

namespace hakmem {

class Density {
 public:
  constexpr Density() = default;

  // Whether the next chunk is to have huge pages, when `held` chunks are full.
  bool WantsHugePages(size_t held) {
    if (held < kLeastChunks) return false;
    LookAtControl();
    return is_dense_ && ++chunks_ % kControlEvery != 0;
  }

  // To be called with each chunk that has small pages.
  void Added(const PageChunk* chunk) {
    if (control_ == nullptr) control_ = chunk;
  }
  // To be called before a chunk goes.
  void Removed(const PageChunk* chunk) {
    if (control_ == chunk) control_ = nullptr;
  }

 private:
  static constexpr size_t kLeastChunks = 8;  // 16 MiB
  static constexpr size_t kControlEvery = 16;
  static constexpr size_t kMostlyPages = kPagesPerChunk * 7 / 8;

  void LookAtControl() {
    if (control_ == nullptr || control_->used_pages < kMostlyPages) return;
    is_dense_ = os::ResidentBytes(control_->base, kChunkBytes) >=
                kMostlyPages * kPageBytes;
    control_ = nullptr;
  }

  // The chunk with small pages that is to be asked about; null when none is.
  const PageChunk* control_ = nullptr;
  size_t chunks_ = 0;
  bool is_dense_ = false;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_DENSITY_H_
