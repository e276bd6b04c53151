#include "backend/address_map.h"

#include <iterator>

#include "backend/metadata.h"
#include "base/lock.h"

namespace hakmem {

constinit std::atomic<uintptr_t> AddressMap::window_{kNoWindow};
constinit uint8_t AddressMap::near_class_[kWindowGranules]{};
constinit AddressMap::Leaf AddressMap::zero_leaf_{};
constinit std::atomic<intptr_t> AddressMap::root_[kRootEntries]{};
constinit std::atomic<AddressMap::HighRoot*> AddressMap::high_root_{nullptr};

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

// --- Beyond the root ---------------------------------------------------------

namespace {

constexpr int kNodeShift = 39;

// What `entry` points at, made of fresh metadata, which is zeros, if need be;
// null when there is none. Running a constructor would touch all of it.
template <typename T>
T* GetOrMake(std::atomic<T*>& entry) {
  // acquire: pairs with the release below; what it points at reads as zeros
  // until others have written to it.
  T* present = entry.load(std::memory_order_acquire);
  if (present != nullptr) return present;
  T* made = static_cast<T*>(Metadata::Allocate(sizeof(T), alignof(T)));
  if (made == nullptr) return nullptr;
  // Who loses the race leaves what it made unused.
  return entry.compare_exchange_strong(present, made, std::memory_order_acq_rel,
                                       std::memory_order_acquire)
             ? made
             : present;
}

}  // namespace

struct AddressMap::HighNode {
  std::atomic<Leaf*> leaves[size_t{1} << (kNodeShift - kLeafShift)];

  std::atomic<Leaf*>& LeafOf(uintptr_t address) {
    return leaves[(address >> kLeafShift) % std::size(leaves)];
  }
};

struct AddressMap::HighRoot {
  std::atomic<HighNode*> nodes[size_t{1} << (kAddressBits - kNodeShift)];
};

const AddressMap::Leaf& AddressMap::HighLeafAt(uintptr_t address) {
  if (address >> kAddressBits != 0) return zero_leaf_;
  // acquire: as in GetOrMake, thrice.
  HighRoot* root = high_root_.load(std::memory_order_acquire);
  if (root == nullptr) return zero_leaf_;
  HighNode* node =
      root->nodes[address >> kNodeShift].load(std::memory_order_acquire);
  if (node == nullptr) return zero_leaf_;
  const Leaf* leaf = node->LeafOf(address).load(std::memory_order_acquire);
  return leaf == nullptr ? zero_leaf_ : *leaf;
}

Chunk* AddressMap::HighChunkAt(uintptr_t address) {
  // acquire: as in ChunkAt.
  return HighLeafAt(address)
      .chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
      .load(std::memory_order_acquire);
}

const uint8_t* AddressMap::HighClassEntry(uintptr_t address) {
  return &HighLeafAt(address)
              .far_class[(address >> kGranuleShift) & (kGranulesPerLeaf - 1)];
}

AddressMap::Leaf* AddressMap::MakeHighLeaf(uintptr_t address) {
  if (address >> kAddressBits != 0) return nullptr;
  HighRoot* root = GetOrMake(high_root_);
  if (root == nullptr) return nullptr;
  HighNode* node = GetOrMake(root->nodes[address >> kNodeShift]);
  return node == nullptr ? nullptr : GetOrMake(node->LeafOf(address));
}

// --- Entering ----------------------------------------------------------------

AddressMap::Leaf* AddressMap::MakeLeaf(uintptr_t address) {
  // Fresh metadata is zeros, which is an empty leaf; running the constructor
  // would touch all of it.
  Leaf* leaf =
      static_cast<Leaf*>(Metadata::Allocate(sizeof(Leaf), alignof(Leaf)));
  if (leaf == nullptr) return nullptr;
  intptr_t expected = 0;
  // release: pairs with the acquire in LeafAt. Who loses the race leaves a
  // leaf unused; both leaves are zeros, so it does not matter which wins.
  root_[address >> kLeafShift].compare_exchange_strong(
      expected,
      reinterpret_cast<intptr_t>(leaf) -
          reinterpret_cast<intptr_t>(&zero_leaf_),
      std::memory_order_release, std::memory_order_relaxed);
  return const_cast<Leaf*>(&LeafAt(address));
}

bool AddressMap::SetChunk(uintptr_t address, Chunk* chunk) {
  PlaceWindow(address);
  const bool is_high = address >> kRootBits != 0;
  Leaf* leaf =
      const_cast<Leaf*>(is_high ? &HighLeafAt(address) : &LeafAt(address));
  if (leaf == &zero_leaf_) {
    if (chunk == nullptr) return true;
    leaf = is_high ? MakeHighLeaf(address) : MakeLeaf(address);
    if (leaf == nullptr) return false;
  }
  leaf->chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
      // release: pairs with the acquire in ChunkAt.
      .store(chunk, std::memory_order_release);
  return true;
}

}  // namespace hakmem
