// Checks a slab source (heap_verifier.h): each chunk held is in the pagemap,
// each slab is free or of the class that the pagemap has, and chunks are in the
// list of their number of free slabs.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_SOURCE_CHECK_H_
#define HAKMEM_BACKEND_SLABS_SLAB_SOURCE_CHECK_H_

#include "backend/memory/metadata_check.h"
#include "backend/slabs/slab_check.h"
#include "backend/slabs/slab_source.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

// Checks slab `i` of `chunk`, or an entry after its last slab.
template <typename SlabT>
[[gnu::cold]] void CheckSlabOf(const SlabChunk<SlabT>& chunk, size_t i,
                               HeapVerifier& check) {
  const SlabT& slab = chunk.slabs[i];
  const uintptr_t address = chunk.base + i * kSlabBytes;
  const SizeClass mapped = Pagemap::ClassAt(address);
  if ((chunk.all_mask >> i & 1) == 0) {
    check.Require(mapped == SizeClass::kNone,
                  "the pagemap has a class behind a chunk's last slab",
                  address);
    return;
  }
  if (!check.Require(slab.base == address, "a slab is of another address",
                     address)) {
    return;
  }
  check.RequireEqual(Index(mapped), Index(slab.size_class),
                     "the pagemap's class is not the slab's", address);
  const bool is_free = (chunk.free_mask >> i & 1) != 0;
  if (slab.size_class != SizeClass::kNone) {
    check.Require(!is_free, "a slab of a class is free as well", address);
    check.Require(TouchedPageBytes(slab) <= kSlabBytes,
                  "more of a slab is purged than was touched", address);
    CheckSlab(slab, check);
    return;
  }
  check.RequireAtRest(is_free, "a slab without a class is not free", address);
  check.Require(slab.touched_bytes <= kSlabBytes,
                "a free slab is touched beyond its end", address);
  check.tally.dirty_bytes += TouchedPageBytes(slab);
}

template <typename SlabT>
template <typename Visit>
void SlabSource<SlabT>::VerifyInvariants(HeapVerifier& check, Visit&& visit) {
  size_t with_free = 0;
  const size_t count = WalkList(
      held_, "the list of a slab source's chunks is broken", check,
      [&](const ChunkT* chunk) {
        if (!check.Require(Pagemap::ChunkAt(chunk->base) == chunk &&
                               chunk->kind == ChunkKind::kSlabs,
                           "a slab chunk is not in the pagemap", chunk->base)) {
          return;
        }
        check.Require(
            chunk->all_mask != 0 && (chunk->free_mask & ~chunk->all_mask) == 0,
            "a chunk has free slabs behind its last one", chunk->base);
        with_free += chunk->free_mask != 0;
        for (size_t i = 0; i < kSlabsPerChunk; ++i) {
          CheckSlabOf(*chunk, i, check);
          if ((chunk->all_mask >> i & 1) != 0) visit(chunk->slabs[i]);
        }
      });
  check.RequireEqual(held_count_, count, "wrong count of held slab chunks");
  check.tally.slab_chunks += count;
  size_t listed = 0;
  for (size_t n = 0; n <= kSlabsPerChunk; ++n) {
    listed += WalkList(lists_[n], "a list of chunks with free slabs is broken",
                       check, [&](const ChunkT* chunk) {
                         check.RequireEqual(
                             chunk->FreeSlabs(), n,
                             "a slab chunk is in the list of another number of "
                             "free slabs",
                             chunk->base);
                       });
    check.RequireEqual(lists_with_free_ >> n & 1, !lists_[n].empty(),
                       "a slab source is wrong on which lists are not empty");
  }
  check.RequireEqual(listed, with_free,
                     "wrong number of chunks in lists by free slabs");
}

template <typename SlabT>
void SlabSource<SlabT>::CheckPool(HeapVerifier& check) {
  // The pagemap has each chunk in use: VerifyInvariants has checked that.
  pool_.VerifyInvariants(check, [](const ChunkT* chunk) {
    return Pagemap::ChunkAt(chunk->base) == chunk;
  });
  if constexpr (requires { typename SlabT::Lasting; }) {
    // The slabs of a row in use are those of its chunk; others may be purged.
    LastingParts<SlabT>::CheckPool(check, [](const auto* row) {
      const SlabT* slab = row->parts[0].page;
      auto* chunk = static_cast<ChunkT*>(Pagemap::ChunkAt(slab->base));
      return chunk != nullptr && chunk->slabs == slab &&
             chunk->lasting.row() == row;
    });
  }
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_SOURCE_CHECK_H_
