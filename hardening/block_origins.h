// Origin: which kind of function allocated a block, so that a mismatched free
// is detected; and the origins of a slab's blocks, two bits each, stored apart
// from the blocks.
//
// A member of the slab, empty in builds that record no origins. All zeros is
// valid. The owner of a block, or whoever is just allocating it, reads and
// changes its bits; others may change other bits of the word concurrently.
#ifndef HAKMEM_HARDENING_BLOCK_ORIGINS_H_
#define HAKMEM_HARDENING_BLOCK_ORIGINS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hardening/levels.h"

namespace hakmem {

enum class Origin : uint8_t {
  kUnknown,
  kMalloc,  // and all other C functions
  kNew,
  kNewArray,
};

namespace internal {

template <size_t kBlocks>
class BlockOriginsKept {
 public:
  // relaxed, both: the owner received the block after its bits were changed.
  Origin At(uint32_t block) const {
    const uint64_t word =
        std::atomic_ref<uint64_t>(const_cast<uint64_t&>(bits_[block / 32]))
            .load(std::memory_order_relaxed);
    return static_cast<Origin>(word >> ShiftOf(block) & 3);
  }
  void Set(uint32_t block, Origin origin) {
    // The difference, modulo 2^64: no carry reaches other bits.
    const uint64_t change =
        (static_cast<uint64_t>(origin) - static_cast<uint64_t>(At(block)))
        << ShiftOf(block);
    if (change == 0) return;
    std::atomic_ref<uint64_t>(bits_[block / 32])
        .fetch_add(change, std::memory_order_relaxed);
  }

 private:
  static uint32_t ShiftOf(uint32_t block) { return block % 32 * 2; }

  uint64_t bits_[kBlocks / 32];
};

struct NoBlockOrigins {
  static constexpr Origin At(uint32_t) { return Origin::kUnknown; }
  static constexpr void Set(uint32_t, Origin) {}
};

}  // namespace internal

template <size_t kBlocks>
using BlockOrigins = std::conditional_t<kNotesOriginsInSlabs,
                                        internal::BlockOriginsKept<kBlocks>,
                                        internal::NoBlockOrigins>;

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_BLOCK_ORIGINS_H_
