// Blocks that are verified: what an entry point of the malloc family gave, what
// was written to it, and how it is to be freed.
#ifndef HAKMEM_TOOLS_SOAK_BLOCKS_H_
#define HAKMEM_TOOLS_SOAK_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "tools/soak/random.h"

namespace hakmem::soak {

// Zeros: no block.
struct Block {
  // Which functions free it.
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

// Asks for a block, judges it (alignment, usable size, zeros of calloc, pages
// of its own) and fills it. False when the request was refused: that it may
// have been, and left a null pointer and ENOMEM, is judged too. `alignment` is
// a power of two from 32 on, or 0.
bool Allocate(Random& random, size_t size, size_t alignment, Entry entry,
              Block& block);

// Compares what was written to it.
void Check(const Block& block);

// Checks the block and gives it another size by realloc; then what was written
// must still be there as far as both sizes go. False when refused: the block is
// what it was. Of family kC only, and without an alignment.
bool Resize(Random& random, size_t size, Block& block);

// Checks it and frees it by one of the functions that may.
void Release(Random& random, Block& block);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_BLOCKS_H_
