// Blocks put together from parked ones (large.h has the picture). large.cc's
// own.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
#define HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// Memory for a block, that begins with parked memory.
struct ParkedMemory {
  LargeBlock* block = nullptr;  // null: there is none
  size_t rest = 0;              // at its end, to be its tail
  size_t dirty = 0;             // from its front on; what is behind is zero
  // The OS refused a mapping of the size: to ask again is of no use.
  bool is_refused = false;
};

// A block of `size` bytes put together from parked ones.
ParkedMemory PutTogether(size_t size) ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
