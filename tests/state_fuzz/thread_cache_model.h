// Model of the thread cache (frontend/thread_cache/thread_cache.h) and the
// allocator above it (frontend/dispatch/allocator.h): blocks of any size,
// allocated, resized and freed by several real threads that take turns, start
// and end.
//
// What a back-end and ACE have allocated equals what the model holds plus what
// the threads' bins hold: no block is in two places, and none is lost when a
// thread ends.
#ifndef HAKMEM_TESTS_STATE_FUZZ_THREAD_CACHE_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_THREAD_CACHE_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"
#include "tests/state_fuzz/turns.h"

namespace hakmem::fuzz {

class ThreadCacheModel {
 public:
  explicit ThreadCacheModel(ByteSource& source);
  ~ThreadCacheModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  // Runs in one of the threads.
  void Allocate(ByteSource& source);
  void Free(ByteSource& source);
  void Reallocate(ByteSource& source);
  size_t DrawBytes(ByteSource& source) const;
  // Adds a block to the model, with its class.
  void AddBlock(void* block, size_t bytes);

  const OptionGuard decay_;
  const OptionGuard bin_bytes_;
  const uint64_t allocate_weight_;
  const size_t most_bytes_;
  LiveBlocks blocks_;
  Turns threads_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_THREAD_CACHE_MODEL_H_
