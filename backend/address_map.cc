#include "backend/address_map.h"

#include "backend/metadata.h"
#include "base/lock.h"

namespace hakmem {

constinit std::atomic<uintptr_t> AddressMap::window_{kNoWindow};
constinit uint8_t AddressMap::near_class_[kWindowGranules]{};
constinit AddressMap::Leaf AddressMap::zero_leaf_{};
constinit std::atomic<intptr_t> AddressMap::root_[kRootEntries]{};

// Mappings are mostly handed out from the top down: three quarters of the
// window lie below the first chunk.
uintptr_t AddressMap::PlaceWindow(uintptr_t address) {
  // relaxed: as in ClassEntry.
  uintptr_t window = window_.load(std::memory_order_relaxed);
  if (window != kNoWindow) return window;
  constexpr uintptr_t kBelow = kWindowBytes / 4 * 3;
  const uintptr_t wanted =
      address < kBelow
          ? 0
          : (address - kBelow) & ~((uintptr_t{1} << kLeafShift) - 1);
  return window_.compare_exchange_strong(window, wanted,
                                         std::memory_order_relaxed)
             ? wanted
             : window;
}

bool AddressMap::SetChunk(uintptr_t address, Chunk* chunk) {
  PlaceWindow(address);
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
