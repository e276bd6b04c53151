// Model of the span source (backend/large/span_source.h): blocks of any size
// above tiny, at any alignment, which know their length and keep their
// contents.
#ifndef HAKMEM_TESTS_STATE_FUZZ_SPAN_SOURCE_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_SPAN_SOURCE_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class SpanSourceModel {
 public:
  explicit SpanSourceModel(ByteSource& source);
  ~SpanSourceModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  void Allocate(ByteSource& source);
  void Free(ByteSource& source);
  void Resize(ByteSource& source);
  void Purge(bool force);

  const OptionGuard decay_;
  const uint64_t allocate_weight_;
  uint64_t now_;
  LiveBlocks blocks_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_SPAN_SOURCE_MODEL_H_
