// What is written into blocks and found again: words that depend on the block's
// seed and on their place. A small block is filled and compared whole; of a big
// one the head, the tail and a piece in some pages between.
#ifndef HAKMEM_TOOLS_SOAK_PATTERN_H_
#define HAKMEM_TOOLS_SOAK_PATTERN_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::soak {

// Up to here blocks are filled whole.
inline constexpr size_t kWholeBytes = 16384;

// Bytes of the head and of the tail of a big block: whatever shares a page with
// another block is written to.
inline constexpr size_t kEndBytes = 4096;

void FillBlock(char* block, size_t size, uint64_t seed);

inline constexpr size_t kIntact = SIZE_MAX;

// Compares what FillBlock wrote to `size` bytes, as far as it lies in the first
// `prefix`. Returns where it differs first, or kIntact.
size_t FindDamage(const char* block, size_t size, uint64_t seed, size_t prefix);

// Where the first byte that is not 0 lies, or kIntact; of more than 1 MiB, one
// word a page, the head and the tail are looked at.
size_t FindNonZero(const char* block, size_t size);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_PATTERN_H_
