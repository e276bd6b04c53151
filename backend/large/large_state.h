// All that is kept of large blocks, and the steps from one list to another. The
// parts of large.cc share it, and nobody else.
//
//   in use ──► parked ──► back to the OS
//                └─► pieces of other blocks       (large_pieces.h)
//   refused munmap ──► unreleased ──► in use, or back to the OS later
#ifndef HAKMEM_BACKEND_LARGE_LARGE_STATE_H_
#define HAKMEM_BACKEND_LARGE_LARGE_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/large/freed_large.h"
#include "backend/large/large_block.h"
#include "backend/memory/chunk.h"
#include "backend/memory/found.h"
#include "backend/memory/metadata.h"
#include "base/intrusive_list.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"

namespace hakmem::large {

inline constinit MetadataAllocator<LargeBlock> block_pool;
inline constinit Mutex mutex;
inline constinit IntrusiveList<LargeBlock> blocks ABSL_GUARDED_BY(mutex);
inline constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;
inline constinit IntrusiveList<LargeBlock> parked
    ABSL_GUARDED_BY(mutex);  // by age
inline constinit IntrusiveList<LargeBlock, LargeTailsTag> tails
    ABSL_GUARDED_BY(mutex);  // by age
inline constinit size_t bytes_parked ABSL_GUARDED_BY(mutex) =
    0;  // and in tails
inline constinit size_t moved_chunks ABSL_GUARDED_BY(mutex) = 0;
// What the kernel would not take back, for it would split a mapping and there
// are vm.max_map_count of them: blocks, and parts of blocks. Nothing of them is
// resident, mostly (LargeBlock::is_zero).
inline constinit IntrusiveList<LargeBlock> unreleased ABSL_GUARDED_BY(mutex);
// How many. Changed under the lock; relaxed: a hint to whoever has it not.
inline constinit std::atomic<size_t> unreleased_count{0};

// For messages.
inline constinit FreedLarge freed_last ABSL_GUARDED_BY(mutex);

inline size_t RoundToChunks(size_t bytes) {
  return (bytes + kChunkBytes - 1) & ~(kChunkBytes - 1);
}

// The block that starts where something was found; null when none does. The
// caller holds the block, or the lock and has a look at is_in_use.
LargeBlock* BlockAt(Found found);

// A block of memory that is mapped, in no list yet. (One from the pool is as
// its last use left it.)
void Begin(LargeBlock* block, uintptr_t address, size_t bytes);

// Asks the OS for a block's memory; a refusal is counted and noted.
os::Mapping MapBlock(size_t bytes, size_t alignment);

// Changes the tail of a block in use.
void SetTail(LargeBlock* block, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

void EnterInUse(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Takes a block out of the books of those in use.
void LeaveUse(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// `block` is in no list.
void EnterParked(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
void EnterParkedAsOldest(LargeBlock* block)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
void Unpark(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

// Books of a block that is in no list and whose memory is another's.
void Forget(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// Gives a block that is in no list back to the OS. Returns its bytes.
size_t GiveBack(LargeBlock* block) ABSL_LOCKS_EXCLUDED(mutex);

// The same for a part of a block that no book is of any more.
void GiveBackPart(uintptr_t address, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex);

// Offers what is unreleased to the OS again, until it refuses.
void RetryUnreleased() ABSL_LOCKS_EXCLUDED(mutex);

// The shortest such block that is aligned and of `size` to `room` more bytes,
// taken out of the list; null when there is none.
LargeBlock* TakeUnreleased(size_t size, size_t alignment, size_t room)
    ABSL_LOCKS_EXCLUDED(mutex);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_STATE_H_
