// Whether a block of its class starts at an address in a slab, by the address
// alone: without the slab's books, for the hot path of hardened builds.
#ifndef HAKMEM_BACKEND_SLABS_BLOCK_START_H_
#define HAKMEM_BACKEND_SLABS_BLOCK_START_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "backend/slabs/slab.h"
#include "base/size_classes.h"

namespace hakmem {
// Of each class, ceil(2^32 / bytes of a block).
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
// blocks behind the slab's start. Slabs are aligned to their size. The one
// address behind a slab's last block, if any, passes too: the books know
// better. A multiple of d has a product below the reciprocal of d, others do
// not (Lemire, Kaser and Kurz, "Faster remainder by direct computation").
// `reciprocals` is kReciprocals or a copy.
inline bool IsBlockStart(SizeClass c, uintptr_t address,
                         const Reciprocals& reciprocals) {
  const auto offset = static_cast<uint32_t>(address % kSlabBytes);
  const uint32_t reciprocal = reciprocals[Index(c)];
  return offset * reciprocal < reciprocal;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_BLOCK_START_H_
