// What each level of --//hardening does, as constants: code asks for the one it
// needs, with `if constexpr`, and nothing of it is left at the levels below.
//
//                                     off   checks   full
//   a free is checked at once                  x       x
//   freed blocks bear a mark                   x       x
//   memory is laid out against attacks                 x
//   freed blocks wait, filled                          x
//   a block is freed as it was allocated    above      x
//                                          32 KiB
#ifndef HAKMEM_HARDENING_LEVELS_H_
#define HAKMEM_HARDENING_LEVELS_H_

#include "hardening_mode.h"

namespace hakmem {

// A free of the middle of a block, or of a block that is free, ends the process
// there and then, not when the block travels on; a sized one is compared with
// the block.
inline constexpr bool kChecksFrees = kHardeningMode != HardeningMode::kOff;

// Freed blocks of slabs begin with a mark (freed_mark.h), which tells of a
// second free, and of a write to the block when it is reused.
inline constexpr bool kMarksFreed = kHardeningMode != HardeningMode::kOff;

// Guard pages at the ends of slabs and around large blocks.
inline constexpr bool kGuardsMemory = kHardeningMode == HardeningMode::kFull;

// Blocks of a slab are handed out in random order.
inline constexpr bool kShufflesBlocks = kHardeningMode == HardeningMode::kFull;

// Freed blocks of slabs are filled and wait before they are reused, and are
// compared with what they were filled with then.
inline constexpr bool kQuarantinesFreed =
    kHardeningMode == HardeningMode::kFull;

// What a block was allocated by is noted, and compared with what frees it: of
// blocks outside slabs.
inline constexpr bool kNotesOrigins = kHardeningMode != HardeningMode::kOff;

// And of all others: every malloc and free takes the slow path.
inline constexpr bool kNotesOriginsInSlabs =
    kHardeningMode == HardeningMode::kFull;

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_LEVELS_H_
