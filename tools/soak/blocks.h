// Blocks that are verified: which function of the malloc family returned one,
// what was written to it, and how it must be freed.
#ifndef HAKMEM_TOOLS_SOAK_BLOCKS_H_
#define HAKMEM_TOOLS_SOAK_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "tools/soak/random.h"

namespace hakmem::soak {

// Zeros: no block.
struct Block {
  // Which functions may free it.
  enum Family : uint32_t { kC, kNew, kNewArray, kNewAligned };

  char* at;
  size_t size;
  uint64_t seed;       // of what was written
  uint32_t alignment;  // that was asked for; 0: none
  Family family;
};

enum class Entry {
  kAny,     // whatever gives a block, operators new among them
  kMalloc,  // what realloc may be called with
  kZeroed,  // calloc
};

// Requests a block, checks it (alignment, usable size, zeros of calloc, that it
// overlaps no other) and fills it. False when the request failed; then it
// checks that it may fail now, and that errno is ENOMEM. `alignment` is a power
// of two from 32 on, or 0.
bool Allocate(Random& random, size_t size, size_t alignment, Entry entry,
              Block& block);

// Compares what was written to it.
void Check(const Block& block);

// Checks the block and resizes it by realloc; what was written must be there up
// to the smaller size. False when the request failed: the block is unchanged.
// Of family kC only, and without an alignment.
bool Resize(Random& random, size_t size, Block& block);

// Checks it and frees it by one of the functions that may.
void Release(Random& random, Block& block);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_BLOCKS_H_
