// Which free blocks of a slab bear a mark (freed_mark.h): those that have been
// allocated since the slab began, and whose memory has not been purged since.
// The others are marked before their first allocation.
//
// A member of the slab, empty in builds without marks. All zeros is valid. Not
// thread-safe: guarded by the slab's lock.
#ifndef HAKMEM_HARDENING_USED_BLOCKS_H_
#define HAKMEM_HARDENING_USED_BLOCKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "hardening/freed_mark.h"
#include "hardening/levels.h"

namespace hakmem {
namespace internal {

template <size_t kBlocks>
class UsedBlocksKept {
 public:
  void Clear() { std::fill(std::begin(bits_), std::end(bits_), 0); }

  // Clears the bits of blocks [first, end).
  void Clear(uint32_t first, uint32_t end) {
    for (uint32_t block = first; block < end; ++block) {
      bits_[block / 64] &= ~(uint64_t{1} << (block % 64));
    }
  }

  // Records that `block`, which begins at `memory`, is being allocated.
  void HandOut(uint32_t block, void* memory) {
    uint64_t& word = bits_[block / 64];
    const uint64_t bit = uint64_t{1} << (block % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    FreedMark::Put(memory);
  }

 private:
  uint64_t bits_[kBlocks / 64];
};

struct NoUsedBlocks {
  void Clear() {}
  void Clear(uint32_t, uint32_t) {}
  void HandOut(uint32_t, void*) {}
};

}  // namespace internal

template <size_t kBlocks>
using UsedBlocks =
    std::conditional_t<kMarksFreed, internal::UsedBlocksKept<kBlocks>,
                       internal::NoUsedBlocks>;

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_USED_BLOCKS_H_
