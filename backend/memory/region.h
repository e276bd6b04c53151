// Region: the metadata of a region of address space that chunks are cut from.
// Internal to the chunk source.
#ifndef HAKMEM_BACKEND_MEMORY_REGION_H_
#define HAKMEM_BACKEND_MEMORY_REGION_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/metadata.h"
#include "base/intrusive_list.h"

namespace hakmem {

class HeapVerifier;

inline constexpr size_t kMaxRegionChunks = 512;

// A chunk may be usable in part: its first pieces.
inline constexpr size_t kPieceBytes = size_t{64} << 10;
inline constexpr uint8_t kPiecesPerChunk = kChunkBytes / kPieceBytes;

// How a chunk is mapped. Neighbours of one kind mostly share a kernel mapping.
enum class ChunkMapping : uint8_t {
  kReserved,  // not usable
  kPlain,
  kDense,   // huge pages requested
  kSparse,  // requested, then withdrawn
};

struct Region : ListNode<Region> {
  Region* pool_next;
  uintptr_t base;
  uint32_t chunk_count;
  uint32_t usable;                       // from here on all chunks are reserved
  uint32_t free_count;                   // of chunk_count
  uint32_t dirty_count;                  // of free_count: with resident bytes
  uint64_t free[kMaxRegionChunks / 64];  // bit set: free
  ChunkMapping mapping[kMaxRegionChunks];
  uint8_t pieces[kMaxRegionChunks];        // usable ones; 0 while reserved
  uint32_t dirty_bytes[kMaxRegionChunks];  // resident bytes of a free chunk
  uint64_t freed_at[kMaxRegionChunks];     // CoarseMilliseconds

  // Whether it shares a byte with [address, address+bytes).
  bool Overlaps(uintptr_t address, size_t bytes) const {
    return address < base + chunk_count * kChunkBytes && base < address + bytes;
  }
  bool IsFree(size_t chunk) const {
    return (free[chunk / 64] >> (chunk % 64) & 1) != 0;
  }
  void MarkFree(size_t chunk) {
    free[chunk / 64] |= uint64_t{1} << (chunk % 64);
    ++free_count;
    dirty_count += dirty_bytes[chunk] != 0;
  }
  void MarkUsed(size_t chunk) {
    free[chunk / 64] &= ~(uint64_t{1} << (chunk % 64));
    --free_count;
    dirty_count -= dirty_bytes[chunk] != 0;
  }
  bool IsReserved(size_t chunk) const {
    return mapping[chunk] == ChunkMapping::kReserved;
  }
  bool IsWhole(size_t chunk) const { return pieces[chunk] == kPiecesPerChunk; }
  bool IsDense(size_t chunk) const {
    return mapping[chunk] == ChunkMapping::kDense;
  }
  // Only while the chunk is not marked free.
  void SetDirty(size_t chunk, size_t bytes) {
    DirtyBytes::AddOfChunk(bytes);
    DirtyBytes::SubtractOfChunk(dirty_bytes[chunk]);
    dirty_bytes[chunk] = static_cast<uint32_t>(bytes);
  }
};

// ChunkSource::VerifyInvariants, given the state that chunk_source.cc guards.
[[gnu::cold]] void CheckRegions(const IntrusiveList<Region>& regions,
                                size_t bytes_reserved,
                                MetadataAllocator<Region>& pool,
                                HeapVerifier& check);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_REGION_H_
