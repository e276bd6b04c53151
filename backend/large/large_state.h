// All state of large blocks, and the transitions from one list to another.
// Internal to large.cc and its parts.
//
//   in use ──► cached ──► back to the OS
//                ├─► a part in use, the rest cached      (large_runs.h)
//                └─► pieces of other blocks              (large_pieces.h)
//   refused munmap ──► pending unmap ──► in use, or back to the OS later
#ifndef HAKMEM_BACKEND_LARGE_LARGE_STATE_H_
#define HAKMEM_BACKEND_LARGE_LARGE_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/large/freed_large.h"
#include "backend/large/large_block.h"
#include "backend/memory/chunk.h"
#include "backend/memory/metadata.h"
#include "backend/memory/pagemap_entry.h"
#include "base/intrusive_list.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"

namespace hakmem::large {

inline constinit MetadataAllocator<LargeBlock> block_pool;
inline constinit Mutex mutex;
inline constinit IntrusiveList<LargeBlock> blocks ABSL_GUARDED_BY(mutex);
inline constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;
inline constinit IntrusiveList<LargeBlock> cached
    ABSL_GUARDED_BY(mutex);  // by age
inline constinit IntrusiveList<LargeBlock, LargeTailsTag> tails
    ABSL_GUARDED_BY(mutex);  // by age
inline constinit size_t bytes_cached ABSL_GUARDED_BY(mutex) =
    0;  // and in tails
// Sum of all blocks' CountBorders.
inline constinit size_t borders ABSL_GUARDED_BY(mutex) = 0;
// Blocks, and parts of blocks, that the kernel refused to unmap because that
// would split a mapping and vm.max_map_count limits those. Mostly none of them
// is resident (LargeBlock::is_zero).
inline constinit IntrusiveList<LargeBlock> pending_unmap ABSL_GUARDED_BY(mutex);
// Their number. Changed under the lock; relaxed: a hint to readers without it.
inline constinit std::atomic<size_t> pending_unmap_count{0};

// For error messages.
inline constinit FreedLarge freed_last ABSL_GUARDED_BY(mutex);

inline size_t RoundToChunks(size_t bytes) {
  return (bytes + kChunkBytes - 1) & ~(kChunkBytes - 1);
}

// The block that starts at `entry`; null when there is none. The caller holds
// the block, or holds the lock and checks is_in_use.
LargeBlock* BlockAt(PagemapEntry entry);

// Initialises a block of mapped memory that is in no list yet. (One from the
// pool still has its old contents.)
void Begin(LargeBlock* block, uintptr_t address, size_t bytes);

// Maps a block's memory; counts and records a refusal.
os::Mapping MapBlock(size_t bytes, size_t alignment);

// Changes the borders of a block.
void SetBorders(LargeBlock* block, uint64_t bits)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Changes the tail of a block in use.
void SetTail(LargeBlock* block, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

void EnterInUse(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Removes a block from the metadata of those in use.
void LeaveUse(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// `block` is in no list. Its neighbours are not looked at (large_runs.h).
void EnterCachedAsNewest(LargeBlock* block)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
void EnterCachedAsOldest(LargeBlock* block)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
void RemoveCached(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Deletes the metadata of a block that is in no list and whose memory has a new
// owner.
void DeleteMetadata(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// Unmaps a block that is in no list. Returns its bytes.
size_t UnmapBlock(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// The same for a part of a block that no metadata describes any more.
void UnmapPart(uintptr_t address, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex);

// Retries to unmap memory pending unmap, until the OS refuses.
void RetryPendingUnmaps() ABSL_LOCKS_EXCLUDED(mutex);

// Removes and returns the shortest block pending unmap that is aligned and
// `size` to `size` + `room` bytes long; null when there is none.
LargeBlock* TakePendingUnmap(size_t size, size_t alignment, size_t room)
    ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_STATE_H_
