// Cached memory as runs of chunks, cut and joined where it lies: no system
// call. Internal to large.cc.
//
//   cached   │ 2 MiB │ 2 MiB │ 2 MiB │ 2 MiB │
//   block    └────── 5 MiB ──────┘tail│ cached │
//
// A run serves a block with its front; the rest remains cached, and a block may
// grow into it. A freed block joins its cached neighbours. The joined run has
// the age of its longest part.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_RUNS_H_
#define HAKMEM_BACKEND_LARGE_LARGE_RUNS_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_state.h"

namespace hakmem::large {

// Caches a block that is in no list, joined with its neighbours.
void EnterCached(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Bytes of a block before the first border between its chunks, or all.
size_t BytesToBorder(const LargeBlock& block);

// Removes and returns the first `bytes` of a cached run: whole chunks, or all.
// Null when there is no memory for metadata.
LargeBlock* TakeFront(LargeBlock* run, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// The same of the oldest run: at least `bytes`, if it is so long. There is one.
LargeBlock* TakeOldest(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// The same of the shortest run that is aligned and at least `size` bytes long:
// `size` rounded up to chunks, or at most `most_rest` longer than `size`. Null
// when there is none.
LargeBlock* TakeBestFit(size_t size, size_t alignment, size_t most_rest)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Appends cached memory to a block in use of `mapped` bytes without a tail, if
// that makes it `wanted` bytes long or longer, and one mapping. Returns the
// bytes appended; 0: none.
size_t TakeNext(LargeBlock* block, size_t mapped, size_t wanted)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Removes `bytes` (whole chunks, or all) from the front of a block that is in
// no list: they have a new owner.
void DropFront(LargeBlock* block, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_RUNS_H_
