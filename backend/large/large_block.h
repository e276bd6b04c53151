// The metadata of one large block, and references to all of it for the verifier
// (large_check.cc). Internal to large.cc.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_BLOCK_H_
#define HAKMEM_BACKEND_LARGE_LARGE_BLOCK_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"
#include "backend/memory/metadata.h"
#include "base/intrusive_list.h"
#include "hardening/block_origins.h"

namespace hakmem {

class HeapVerifier;

struct LargeTailsTag {};

// A block that was shrunk keeps its tail, the part cut off, for the decay time:
// the program may grow it again.
struct LargeBlock : Chunk,
                    ListNode<LargeBlock>,
                    ListNode<LargeBlock, LargeTailsTag> {
  LargeBlock* pool_next;
  size_t guarded;      // inaccessible bytes before the block; then also a page
                       // after it
  size_t bytes;        // usable, from the front of the mapping
  size_t tail;         // bytes of the mapping after those; 0 while cached
  uint64_t shrunk_at;  // CoarseMilliseconds, while there is a tail
  uint64_t freed_at;   // CoarseMilliseconds, while cached
  bool is_in_use;      // changed under the lock
  bool asked_for_huge_pages;
  Origin origin;  // while in use, in hardened builds
  bool is_zero;   // while pending unmap: no page is resident
  // The memory after the block was cut from the same kernel mapping.
  bool is_end_joined;
  // Bit c: chunk c of the block (of the first 64) may begin another kernel
  // mapping than the memory before it.
  uint64_t borders;

  // mremap can only grow one mapping.
  bool IsOneMapping() const { return borders >> 1 == 0; }
  // Borders between its chunks.
  size_t CountBorders() const {
    return static_cast<size_t>(std::popcount(borders >> 1));
  }
};

// References to the variables of these names in large_state.h.
struct LargeMetadata {
  const IntrusiveList<LargeBlock>& blocks;
  const IntrusiveList<LargeBlock>& cached;
  const IntrusiveList<LargeBlock, LargeTailsTag>& tails;
  size_t bytes_in_use;
  size_t bytes_cached;
  size_t borders;
  const IntrusiveList<LargeBlock>& pending_unmap;
  MetadataAllocator<LargeBlock>& block_pool;
};

// Large::VerifyInvariants.
[[gnu::cold]] void CheckLargeBlocks(const LargeMetadata& metadata,
                                    HeapVerifier& check);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_LARGE_BLOCK_H_
