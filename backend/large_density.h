// Huge pages under large blocks: whether the program touches what it asks for.
// large.cc's own.
#ifndef HAKMEM_BACKEND_LARGE_DENSITY_H_
#define HAKMEM_BACKEND_LARGE_DENSITY_H_

#include "absl/base/thread_annotations.h"
#include "backend/large_block.h"
#include "backend/large_state.h"

namespace hakmem::large {

// For a block that grows; see large.h.
void AskForHugePages(LargeBlock* block);

// Looks at a block that is being freed: a chunk in the middle of it.
void LookAtDensity(const LargeBlock& block)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Asks for huge pages for a block that is fresh, or has grown, when those
// before were dense.
void AskIfDense(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_DENSITY_H_
