// Assembles a block from cached ones (see the picture in large.h). Internal to
// large.cc.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
#define HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// Memory for a block, beginning with cached memory.
struct CachedMemory {
  LargeBlock* block = nullptr;  // null: none available
  size_t rest = 0;              // bytes at its end, to become its tail
  size_t dirty = 0;             // from its front; the rest is zero
  // The OS refused a mapping of the size: do not ask again.
  bool is_refused = false;
};

// Assembles a block of `size` bytes from cached ones.
CachedMemory Assemble(size_t size) ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
