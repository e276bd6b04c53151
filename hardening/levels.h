// The features of each level of --//hardening, as constants: code tests the one
// it needs with `if constexpr`, so lower levels pay nothing.
//
//                                     off   checks   full
//   a free is checked at once                  x       x
//   freed blocks bear a mark                   x       x
//   memory layout resists attacks                      x
//   freed blocks are filled and delayed                x
//   mismatched frees are detected           above      x
//                                          32 KiB
#ifndef HAKMEM_HARDENING_LEVELS_H_
#define HAKMEM_HARDENING_LEVELS_H_

#include "base/build_config.h"

namespace hakmem {

// A free of a block's interior or of a free block aborts the process at once,
// not when the block moves on; the size of a sized free is compared with the
// block's.
inline constexpr bool kChecksFrees = kHardeningMode != HardeningMode::kOff;

// Freed blocks of slabs begin with a mark (freed_mark.h), which detects double
// frees, and writes to freed blocks when they are reused.
inline constexpr bool kMarksFreed = kHardeningMode != HardeningMode::kOff;

// Guard pages at the ends of slabs and around large blocks.
inline constexpr bool kGuardsMemory = kHardeningMode == HardeningMode::kFull;

// Blocks of a slab are allocated in random order.
inline constexpr bool kShufflesBlocks = kHardeningMode == HardeningMode::kFull;

// Quarantine: freed blocks of slabs are filled and delayed before reuse, and
// their contents are verified then.
inline constexpr bool kQuarantinesFreed =
    kHardeningMode == HardeningMode::kFull;

// The origin of blocks outside slabs is recorded and compared at free.
inline constexpr bool kNotesOrigins = kHardeningMode != HardeningMode::kOff;

// And of all other blocks: every malloc and free takes the slow path.
inline constexpr bool kNotesOriginsInSlabs =
    kHardeningMode == HardeningMode::kFull;

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_LEVELS_H_
