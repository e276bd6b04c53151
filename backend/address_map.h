// The address map: what lies at an address, for every address there is.
//
//   address bits   46 ........ 30 | 29 ...... 21 | 20 ... 16 | 15 ... 0
//                  root index     | chunk slot   |           |
//                                 | granule of 64 KiB        |
//
//   root ──► leaf of 1 GiB ──► slab_class[granule]   one byte: the hot path
//                          └─► chunk[slot]           all else about 2 MiB
//
// A free reads one byte: the size class of the slab at the address, or 0 where
// there is no slab, be it a span, a large block or memory that is not ours. The
// root holds distances from one leaf of zeros instead of pointers, so an
// absent leaf needs no test: distance 0 leads to the zeros.
//
// The root lies in .bss, untouched until used, so nothing has to be reserved
// that a limit on address space could refuse. Class and chunk in a table and
// not in aligned headers is snmalloc's page map and tcmalloc's radix tree; the
// distance in place of a pointer is ours.
#ifndef HAKMEM_BACKEND_ADDRESS_MAP_H_
#define HAKMEM_BACKEND_ADDRESS_MAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backend/chunk.h"
#include "base/size_classes.h"

namespace hakmem {

class AddressMap {
 public:
  // User addresses lie below 2^47 on x86-64 and 2^48 on AArch64 unless asked
  // for by hint, which we never do.
#if defined(__aarch64__)
  static constexpr int kAddressBits = 48;
#else
  static constexpr int kAddressBits = 47;
#endif
  static constexpr int kLeafShift = 30;
  static constexpr int kGranuleShift = 16;

  // Whether `address` is one that a process can have memory at. Anything may
  // be passed to free; what is below asks for this first.
  static bool IsUserAddress(uintptr_t address) {
    return address >> kAddressBits == 0;
  }

  // The class of the slab at `address`, a user address; kNone outside slabs.
  static SizeClass ClassAt(uintptr_t address) {
    // relaxed: whoever has a block's address got it, through whatever handed
    // it over, after the entry was written.
    return SizeClass{
        LeafAt(address)
            .slab_class[(address >> kGranuleShift) & (kGranulesPerLeaf - 1)]
            .load(std::memory_order_relaxed)};
  }

  // The chunk that holds `address`, any number at all; null when it is not
  // ours. A large block's chunk is found by addresses in its first kChunkBytes.
  static Chunk* ChunkAt(uintptr_t address) {
    if (!IsUserAddress(address)) return nullptr;
    // acquire: pairs with the release in SetChunk; the chunk's fields are set.
    return LeafAt(address)
        .chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
        .load(std::memory_order_acquire);
  }

  // Enters `chunk` (null to remove) at `address`, a multiple of kChunkBytes.
  // Returns false when the books have no memory for a new leaf.
  static bool SetChunk(uintptr_t address, Chunk* chunk);

  // Enters the class of the slab at `address`, a multiple of 64 KiB inside a
  // chunk that has been entered.
  static void SetClass(uintptr_t address, SizeClass size_class) {
    Leaf& leaf = const_cast<Leaf&>(LeafAt(address));
    leaf.slab_class[(address >> kGranuleShift) & (kGranulesPerLeaf - 1)].store(
        static_cast<uint8_t>(size_class), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kRootEntries = size_t{1}
                                         << (kAddressBits - kLeafShift);
  static constexpr size_t kGranulesPerLeaf = size_t{1}
                                             << (kLeafShift - kGranuleShift);
  static constexpr size_t kChunksPerLeaf = size_t{1}
                                           << (kLeafShift - kChunkShift);

  struct Leaf {
    std::atomic<uint8_t> slab_class[kGranulesPerLeaf];
    std::atomic<Chunk*> chunk[kChunksPerLeaf];
  };

  static const Leaf& LeafAt(uintptr_t address) {
    // acquire: pairs with the release in SetChunk; the leaf reads as zeros
    // until then.
    const intptr_t distance =
        root_[address >> kLeafShift].load(std::memory_order_acquire);
    return *reinterpret_cast<const Leaf*>(
        reinterpret_cast<intptr_t>(&zero_leaf_) + distance);
  }

  static const Leaf zero_leaf_;
  static std::atomic<intptr_t> root_[kRootEntries];
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ADDRESS_MAP_H_
