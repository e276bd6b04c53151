// Huge pages under large blocks, by whether the program touches the memory it
// requests. Internal to large.cc.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_
#define HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// For a long block (large.h) that has grown from `old_bytes` by a chunk or
// more: asks for huge pages if its old part is dense, and reverts that if it no
// longer is.
void AdviseGrown(LargeBlock* block, size_t old_bytes);

// Samples a block that is about to be unmapped without being cached first.
void SampleFreed(const LargeBlock& block) ABSL_LOCKS_EXCLUDED(mutex);

// Asks for huge pages for a fresh block if the previous ones were dense.
void AdviseIfDense(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// Whether the program touched at least half of the last cached block.
bool IsCachedDense() ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_DENSITY_H_
