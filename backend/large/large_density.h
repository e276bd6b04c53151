// Huge pages under large blocks: whether the program touches what it asks for.
// large.cc's own.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_
#define HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// For a block that has grown from `old_bytes` by a chunk or more, and is long
// (large.h): asks for huge pages if what it had is dense, and takes that back
// if it no longer is.
void AdviseGrown(LargeBlock* block, size_t old_bytes);

// To be called with a block that goes back to the OS, and will not be sampled
// as one in use.
void LookAtFreed(const LargeBlock& block) ABSL_LOCKS_EXCLUDED(mutex);

// Asks for huge pages for a block that is fresh when those before it were
// dense.
void AskIfDense(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// Whether the program touched at least half of the block parked last.
bool IsParkedDense() ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_
