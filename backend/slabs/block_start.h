// Which block of a slab starts at an address, computed from class and address
// alone, without the slab's metadata: for the hot path of hardened builds, and
// for batches of freed blocks.
#ifndef HAKMEM_BACKEND_SLABS_BLOCK_START_H_
#define HAKMEM_BACKEND_SLABS_BLOCK_START_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "backend/slabs/slab.h"
#include "base/size_classes.h"

namespace hakmem {
// For each class, ceil(2^32 / block bytes).
using Reciprocals = std::array<uint32_t, kClassCount>;

namespace internal {

constexpr Reciprocals MakeReciprocals() {
  Reciprocals reciprocals{};
  for (size_t c = 1; c < kClassCount; ++c) {
    reciprocals[c] =
        UINT32_MAX / ClassBytes(SizeClass{static_cast<uint8_t>(c)}) + 1;
  }
  return reciprocals;
}

}  // namespace internal

inline constexpr Reciprocals kReciprocals = internal::MakeReciprocals();

// Whether `address`, in a slab of class `c` (not kNone), is a whole number of
// blocks from the slab's start. Slabs are aligned to their size. Also true for
// the address just after the last block; only the slab's metadata is exact. A
// multiple of d has a product below the reciprocal of d, other numbers do not
// (Lemire, Kaser and Kurz, "Faster remainder by direct computation").
// `reciprocals` is kReciprocals or a copy.
inline bool IsBlockStart(SizeClass c, uintptr_t address,
                         const Reciprocals& reciprocals) {
  const auto offset = static_cast<uint32_t>(address % kSlabBytes);
  const uint32_t reciprocal = reciprocals[Index(c)];
  return offset * reciprocal < reciprocal;
}

// The numbers of a class's blocks.
class BlockNumbers {
 public:
  explicit BlockNumbers(SizeClass c)
      : reciprocal_(kReciprocals[Index(c)]),
        last_offset_(static_cast<uint32_t>(kSlabUsableBytes - ClassBytes(c))) {}

  // The number of the block around `address`, which lies in a slab of the
  // class.
  uint32_t Around(uintptr_t address) const {
    return static_cast<uint32_t>(Product(address) >> 32);
  }

  // Whether a block starts there. Exact: see IsBlockStart.
  bool StartsAt(uintptr_t address) const {
    return static_cast<uint32_t>(Product(address)) < reciprocal_ &&
           address % kSlabBytes <= last_offset_;
  }

 private:
  uint64_t Product(uintptr_t address) const {
    return address % kSlabBytes * reciprocal_;
  }

  uint64_t reciprocal_;
  uint32_t last_offset_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_BLOCK_START_H_
