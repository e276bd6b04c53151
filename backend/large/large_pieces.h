// Blocks put together from parked ones (large.h has the picture). large.cc's
// own.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
#define HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// A block of `size` bytes that begins with parked memory; null when there is
// none, or the OS refuses. Of its bytes the first `*parked_bytes` are those;
// the others are zero.
LargeBlock* PutTogether(size_t size, size_t* parked_bytes)
    ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_PIECES_H_
