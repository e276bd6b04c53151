// SlabChunk: the metadata of a chunk that is cut into slabs, and how the slab
// of an address is found.
//
//   chunk (2 MiB)   │ slab │ slab │ free │ slab │ free │ …   32 of 64 KiB
//   SlabChunk        metadata of the chunk and its slabs, out of line
//
// Which slabs are free is guarded by the lock of the slab source that holds the
// chunk.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_CHUNK_H_
#define HAKMEM_BACKEND_SLABS_SLAB_CHUNK_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/memory/chunk.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/lasting_parts.h"
#include "backend/slabs/slab.h"
#include "base/intrusive_list.h"
#include "base/size_classes.h"

namespace hakmem {

struct HeldChunksTag {};

template <typename SlabT>
struct SlabChunk : Chunk,
                   ListNode<SlabChunk<SlabT>>,
                   ListNode<SlabChunk<SlabT>, HeldChunksTag> {
  SlabChunk* pool_next;
  uint32_t all_mask;   // one bit per usable slab of the chunk
  uint32_t free_mask;  // of those: free, and not being purged
  uint64_t cached_at;  // for the pool
  [[no_unique_address]] LastingParts<SlabT> lasting;
  SlabT slabs[kSlabsPerChunk];

  void BeforePurge() { lasting.LetGo(); }  // for the pool

  static size_t IndexOf(uintptr_t address) {
    return (address >> kSlabShift) % kSlabsPerChunk;
  }
  SlabT* SlabAt(uintptr_t address) { return &slabs[IndexOf(address)]; }
  auto* LastingAt(uintptr_t address) { return lasting.At(IndexOf(address)); }
  size_t FreeSlabs() const { return std::popcount(free_mask); }
};

// The chunk at `address`, which must be cut into slabs of SlabT, and the slab.
template <typename SlabT>
SlabChunk<SlabT>* FindSlabChunk(uintptr_t address) {
  return static_cast<SlabChunk<SlabT>*>(Pagemap::ChunkAt(address));
}

template <typename SlabT>
SlabT* FindSlab(uintptr_t address) {
  return FindSlabChunk<SlabT>(address)->SlabAt(address);
}

// The slab of a block at `address` that is freed as one of `size_class`. Aborts
// with one line if no slab of that class is there any more: the block was freed
// twice, and its slab was freed in between.
template <typename SlabT>
SlabT* SlabToDrain(uintptr_t address, SizeClass size_class) {
  Chunk* chunk = Pagemap::ChunkAt(address);
  if (chunk == nullptr || chunk->kind != ChunkKind::kSlabs) {
    AbortOnForeignFree(address);
  }
  SlabT* slab = static_cast<SlabChunk<SlabT>*>(chunk)->SlabAt(address);
  if (slab->size_class != size_class) {
    AbortOnDoubleFree(address, ClassBytes(size_class));
  }
  return slab;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_CHUNK_H_
