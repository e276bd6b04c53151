// Model of ACE (ace/ace.h): mid blocks, spans and large blocks, through the
// ThreadSpanCaches of several threads that take turns.
//
// A cached span belongs to no block and is in the metadata exactly once: what
// the page heap has allocated equals what the model holds, plus what the
// ThreadSpanCaches and the CentralSpanCache hold.
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
  // Tags of blocks; smaller values are the classes of mid blocks.
  static constexpr uint64_t kSpan = 1000;
  static constexpr uint64_t kLarge = 1001;

  void Refill(ByteSource& source);
  void Drain(const LiveBlock& block, ByteSource& source);
  void Allocate(ByteSource& source);
  void GiveBack(ByteSource& source);
  void Resize(ByteSource& source);
  void Trim(ByteSource& source);
  void Collect(bool force);
  // The ThreadSpanCache of one thread; null for a thread without.
  ThreadSpanCache* DrawBins(ByteSource& source);
  // Adds a block to the model, with its kind.
  void AddBlock(const SpanAllocation& block, size_t usable);

  const FaultWatch run_;
  const OptionGuard decay_;
  const OptionGuard limit_mb_;
  const OptionGuard waste_percent_;
  const uint64_t allocate_weight_;
  const size_t most_bytes_;
  // Number of lengths in this run; few, so that the caches are used.
  const size_t length_count_;
  uint64_t now_;
  std::unique_ptr<ThreadSpanCache> bins_[kThreads];
  LiveBlocks blocks_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_ACE_MODEL_H_
