// Chunk: the metadata of one 2 MiB-aligned piece of address space.
//
// The common header of SuperSlabs, segments, page chunks and large blocks. All
// are kept out of line in metadata memory.
#ifndef HAKMEM_BACKEND_MEMORY_CHUNK_H_
#define HAKMEM_BACKEND_MEMORY_CHUNK_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

inline constexpr int kChunkShift = 21;
inline constexpr size_t kChunkBytes = size_t{1} << kChunkShift;

enum class ChunkKind : uint8_t {
  kSlabs,  // cut into slabs by a back-end
  kPages,  // cut into page spans by the page heap
  kLarge,  // the start of one large block
};

struct Chunk {
  uintptr_t base = 0;
  // Huge pages were requested (ChunkSource): the first touch makes all of it
  // resident. Guarded as the chunk's owner says; unused in kLarge.
  bool is_dense = false;
  ChunkKind kind = ChunkKind::kSlabs;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_CHUNK_H_
