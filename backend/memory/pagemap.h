// The pagemap: maps every address to its size class and chunk.
//
//   address - window ──► classes[granule]      one byte: the hot path
//
//   address bits   46 ........ 32 | 31 ...... 21 | 20 ... 16 | 15 ... 0
//                  root index     | chunk slot   |           |
//                                 | granule of 64 KiB        |
//
//   root ──► leaf of 4 GiB ──► chunk[slot]           all else about 2 MiB
//                          └─► far_class[granule]    outside the window
//
//   address bits   56 ........ 39 | 38 ...... 32 |   from the root's end on
//   high root ──► node of 512 GiB ──► leaf
//
// A free reads one byte: the size class of the slab at the address, or 0 where
// there is no slab (a span, a large block, or memory that is not ours). The
// kernel puts mappings side by side, so a flat table for a window of 512 GiB
// around the first chunk covers practically every block. The lookup costs one
// subtraction and one comparison, which also rejects every address that no
// process can have. Slabs outside the window have their class in the leaves.
//
// A root entry is an offset from an all-zero leaf instead of a pointer. An
// absent leaf is offset 0 and leads to the zeros, so no null test is needed.
//
// The root covers the addresses that a kernel hands out without a hint: below
// 2^47 (x86-64, RISC-V; less with three levels of page tables) or 2^48
// (AArch64). With five levels or 52 bits a process may have more. We never ask
// for those; should the kernel return one all the same, a high root of 2 MiB is
// allocated then. Until then such an address costs one test of a pointer.
//
// The window's table is mapped read-only when the window is placed: such memory
// counts neither as data (RLIMIT_DATA) nor against a commit limit, and mlockall
// makes none of it resident. The 64 KiB of it that belong to a leaf become
// writable with the leaf. Under a limit on address space the window is smaller:
// eight times the limit covers what such a process can map. The root lies in
// .bss.
//
// A table of classes and chunks instead of aligned headers is the idea of
// snmalloc's pagemap and tcmalloc's radix tree. New here: the window, and
// offsets from a zero leaf.
#ifndef HAKMEM_BACKEND_MEMORY_PAGEMAP_H_
#define HAKMEM_BACKEND_MEMORY_PAGEMAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"
#include "base/size_classes.h"

namespace hakmem {

class HeapVerifier;

class Pagemap {
 public:
  // Address bits that the root covers.
#if defined(__aarch64__)
  static constexpr int kRootBits = 48;
#else
  static constexpr int kRootBits = 47;
#endif
  // Most address bits any process can have: five levels of page tables.
  static constexpr int kAddressBits = 57;
  static constexpr int kLeafShift = 32;
  static constexpr int kGranuleShift = 16;

  // The window without a limit on address space, and the smallest.
  static constexpr uintptr_t kMaxWindowBytes = uintptr_t{1} << 39;
  static constexpr uintptr_t kMinWindowBytes = uintptr_t{1} << kLeafShift;

  // A range of addresses whose classes lie in a flat table.
  struct Window {
    uintptr_t base = 0;
    size_t granules = 0;  // 0: contains no address
    const uint8_t* classes = nullptr;
  };

  // The window, placed around `address` by the first call and fixed from then
  // on. Empty (no granules) when the OS refuses memory for it; a later call may
  // then return another.
  static const Window& PlaceWindow(uintptr_t address);

  // Whether `address` (any number) lies in `window`.
  static bool IsInWindow(const Window& window, uintptr_t address) {
    return (address - window.base) >> kGranuleShift < window.granules;
  }

  // The class of the slab at `address`, which lies in `window`; kNone outside
  // slabs.
  static SizeClass ClassInWindow(const Window& window, uintptr_t address) {
    // relaxed: a thread that has a block's address got it after the entry was
    // written, and through something that synchronises.
    return SizeClass{
        Load(window.classes[(address - window.base) >> kGranuleShift])};
  }

  // The class of the slab at `address` (any number); kNone outside slabs.
  static SizeClass ClassAt(uintptr_t address) {
    return SizeClass{Load(*ClassEntry(address))};
  }

  // The chunk that holds `address` (any number); null when it is not ours. A
  // large block's chunk is found by addresses in its first kChunkBytes only.
  static Chunk* ChunkAt(uintptr_t address) {
    if (address >> kRootBits != 0) [[unlikely]] {
      return HighChunkAt(address);
    }
    // acquire: pairs with the release in SetChunk; the chunk's fields are set.
    return LeafAt(address)
        .chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
        .load(std::memory_order_acquire);
  }

  // Sets the chunk (null: removes it) at `address`, a multiple of kChunkBytes.
  // Returns false when there is no memory for metadata.
  static bool SetChunk(uintptr_t address, Chunk* chunk);

  // Sets the class of the slab at `address`, a multiple of 64 KiB inside a
  // chunk that has been entered.
  static void SetClass(uintptr_t address, SizeClass size_class) {
    std::atomic_ref<uint8_t>(const_cast<uint8_t&>(*ClassEntry(address)))
        .store(static_cast<uint8_t>(size_class), std::memory_order_relaxed);
  }

  // Counts the chunks entered, and checks that only slab chunks have classes
  // (heap_verifier.h). Takes no lock.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);

 private:
  static constexpr size_t kRootEntries = size_t{1} << (kRootBits - kLeafShift);
  static constexpr size_t kGranulesPerLeaf = size_t{1}
                                             << (kLeafShift - kGranuleShift);
  static constexpr size_t kChunksPerLeaf = size_t{1}
                                           << (kLeafShift - kChunkShift);

  struct Leaf {
    uint8_t far_class[kGranulesPerLeaf];
    std::atomic<Chunk*> chunk[kChunksPerLeaf];
  };

  static uint8_t Load(const uint8_t& entry) {
    return std::atomic_ref<uint8_t>(const_cast<uint8_t&>(entry))
        .load(std::memory_order_relaxed);
  }

  // The entry for the class of a slab at `address`; a zero if no chunk has been
  // entered there.
  static const uint8_t* ClassEntry(uintptr_t address) {
    // acquire: pairs with the release in MakeWindow. The window is placed
    // before the first class is set.
    const Window& window = *window_.load(std::memory_order_acquire);
    if (IsInWindow(window, address)) {
      return &window.classes[(address - window.base) >> kGranuleShift];
    }
    if (address >> kRootBits != 0) [[unlikely]] {
      return HighClassEntry(address);
    }
    return &LeafAt(address)
                .far_class[(address >> kGranuleShift) & (kGranulesPerLeaf - 1)];
  }

  // The leaf for an address below the root's end; the leaf of zeros if there is
  // none.
  static const Leaf& LeafAt(uintptr_t address) {
    // acquire: pairs with the release in MakeLeaf; the leaf reads as zeros
    // until then.
    const intptr_t distance =
        root_[address >> kLeafShift].load(std::memory_order_acquire);
    return *reinterpret_cast<const Leaf*>(
        reinterpret_cast<intptr_t>(&zero_leaf_) + distance);
  }

  // The same for addresses from the root's end on.
  struct HighNode;
  struct HighRoot;
  static const Leaf& HighLeafAt(uintptr_t address);
  [[gnu::cold]] static Chunk* HighChunkAt(uintptr_t address);
  [[gnu::cold]] static const uint8_t* HighClassEntry(uintptr_t address);

  // Return the leaf for an address below the root's end, or from there on;
  // allocate it if need be. Null when there is no memory for metadata.
  static Leaf* MakeLeaf(uintptr_t address);
  static Leaf* MakeHighLeaf(uintptr_t address);

  static const Window& MakeWindow(uintptr_t address);
  // Makes the classes of the leaf at `address` writable if it is in the window.
  // False when the OS refuses.
  static bool OpenClasses(uintptr_t address);

  static const Window no_window_;       // not placed yet
  static const Window refused_window_;  // placed, but the OS refused it
  static std::atomic<const Window*> window_;
  static Leaf zero_leaf_;  // always zeros; not const, to lie in .bss
  static std::atomic<intptr_t> root_[kRootEntries];
  static std::atomic<HighRoot*> high_root_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_PAGEMAP_H_
