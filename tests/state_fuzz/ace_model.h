// Model of ACE (ace/ace.h): mid blocks, spans and large blocks, through the
// span bins of several threads that take turns.
//
// Wherever a span is kept between two uses, it is nobody's block and is in the
// books once: what the page heap has handed out is what the model holds, what
// the bins hold, and what the shards hold.
#ifndef HAKMEM_TESTS_STATE_FUZZ_ACE_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_ACE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "ace/thread_span_cache.h"
#include "backend/spans/span.h"
#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class AceModel {
 public:
  explicit AceModel(ByteSource& source);
  ~AceModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  static constexpr size_t kThreads = 3;
  // Tags of blocks; below are the classes of mid blocks.
  static constexpr uint64_t kSpan = 1000;
  static constexpr uint64_t kLarge = 1001;

  void Refill(ByteSource& source);
  void Drain(const LiveBlock& block, ByteSource& source);
  void Allocate(ByteSource& source);
  void GiveBack(ByteSource& source);
  void Resize(ByteSource& source);
  void Trim(ByteSource& source);
  void Collect(bool force);
  // The bins of one thread; null for one that has none.
  ThreadSpanCache* DrawBins(ByteSource& source);
  // Takes a block into the books, with what it is.
  void AddBlock(const SpanAllocation& block, size_t usable);

  const FaultWatch run_;
  const OptionGuard decay_;
  const OptionGuard limit_mb_;
  const OptionGuard waste_percent_;
  const uint64_t allocate_weight_;
  const size_t most_bytes_;
  // Of a run with few lengths, so that bins and shards have a use.
  const size_t length_count_;
  uint64_t now_;
  std::unique_ptr<ThreadSpanCache> bins_[kThreads];
  LiveBlocks blocks_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_ACE_MODEL_H_
