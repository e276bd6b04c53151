#include "backend/address_map.h"

#include "backend/metadata.h"
#include "base/lock.h"

namespace hakmem {

constinit const AddressMap::Leaf AddressMap::zero_leaf_{};
constinit std::atomic<intptr_t> AddressMap::root_[kRootEntries]{};

bool AddressMap::SetChunk(uintptr_t address, Chunk* chunk) {
  if (&LeafAt(address) == &zero_leaf_) {
    if (chunk == nullptr) return true;
    // Fresh metadata is zeros, which is an empty leaf; running the constructor
    // would touch all of it.
    Leaf* leaf =
        static_cast<Leaf*>(Metadata::Allocate(sizeof(Leaf), alignof(Leaf)));
    if (leaf == nullptr) return false;
    intptr_t expected = 0;
    // release: pairs with the acquire in LeafAt. Who loses the race leaves a
    // leaf unused; both leaves are zeros, so it does not matter which wins.
    root_[address >> kLeafShift].compare_exchange_strong(
        expected,
        reinterpret_cast<intptr_t>(leaf) -
            reinterpret_cast<intptr_t>(&zero_leaf_),
        std::memory_order_release, std::memory_order_relaxed);
  }
  const_cast<Leaf&>(LeafAt(address))
      .chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
      // release: pairs with the acquire in ChunkAt.
      .store(chunk, std::memory_order_release);
  return true;
}

}  // namespace hakmem
