// The pattern that blocks are filled with: words that depend on the block's
// seed and on their offset. A small block is filled and compared completely; of
// a big one only the head, the tail and a piece of some pages between.
#ifndef HAKMEM_TOOLS_SOAK_PATTERN_H_
#define HAKMEM_TOOLS_SOAK_PATTERN_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::soak {

// Blocks up to this size are filled completely.
inline constexpr size_t kWholeBytes = 16384;

// Bytes of the head and of the tail of a big block: a whole page, since the
// first and the last page may be shared with other blocks.
inline constexpr size_t kEndBytes = 4096;

void FillBlock(char* block, size_t size, uint64_t seed);

inline constexpr size_t kIntact = SIZE_MAX;

// Compares the first `prefix` bytes of a block of `size` bytes that FillBlock
// filled. Returns the offset of the first difference, or kIntact.
size_t FindDamage(const char* block, size_t size, uint64_t seed, size_t prefix);

// Returns the offset of the first byte that is not 0, or kIntact. Above 1 MiB
// it looks at the head, the tail and one word of each page.
size_t FindNonZero(const char* block, size_t size);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_PATTERN_H_
