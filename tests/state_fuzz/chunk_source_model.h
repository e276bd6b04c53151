// Model of the chunk source (backend/memory/chunk_source.h): the chunks in use,
// and how much of the returned ones is resident.
//
// The model controls the clock, so it knows exactly what every purge must
// release, and which chunks are zero.
#ifndef HAKMEM_TESTS_STATE_FUZZ_CHUNK_SOURCE_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_CHUNK_SOURCE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class ChunkSourceModel {
 public:
  explicit ChunkSourceModel(ByteSource& source);
  ~ChunkSourceModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  struct FreeChunk {
    size_t dirty_bytes;
    uint64_t freed_at;
  };

  void Allocate(ByteSource& source);
  void Free(ByteSource& source);
  void Purge(uint64_t now, bool force);
  size_t DirtyBytes() const;

  const OptionGuard decay_;
  const uint64_t allocate_weight_;
  uint64_t now_ = 0;
  LiveBlocks chunks_;                     // tag: made of huge pages
  std::map<uintptr_t, FreeChunk> dirty_;  // free chunks with resident bytes
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_CHUNK_SOURCE_MODEL_H_
