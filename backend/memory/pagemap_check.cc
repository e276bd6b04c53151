#include "backend/memory/pagemap.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {
namespace {

void CheckEntry(uintptr_t address, HeapVerifier& check) {
  const Chunk* chunk = Pagemap::ChunkAt(address);
  if (chunk != nullptr) {
    check.Require(chunk->base == address,
                  "the pagemap's chunk is of another address", address);
    switch (chunk->kind) {
      case ChunkKind::kSlabs:
        // Its owner checks the classes.
        ++check.tally.mapped_slab_chunks;
        return;
      case ChunkKind::kPages:
        ++check.tally.mapped_page_chunks;
        break;
      case ChunkKind::kLarge:
        ++check.tally.mapped_large_blocks;
        break;
    }
  }
  for (size_t offset = 0; offset < kChunkBytes;
       offset += size_t{1} << Pagemap::kGranuleShift) {
    check.Require(Pagemap::ClassAt(address + offset) == SizeClass::kNone,
                  "the pagemap has a class where there is no slab",
                  address + offset);
  }
}

}  // namespace

void Pagemap::VerifyInvariants(HeapVerifier& check) {
  for (size_t i = 0; i < kRootEntries; ++i) {
    const uintptr_t start = i << kLeafShift;
    // No leaf: no chunk was ever entered there.
    if (&LeafAt(start) == &zero_leaf_) continue;
    for (size_t slot = 0; slot < kChunksPerLeaf; ++slot) {
      CheckEntry(start + slot * kChunkBytes, check);
    }
  }
}

}  // namespace hakmem
