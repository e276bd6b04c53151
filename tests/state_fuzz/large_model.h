// Model of large blocks (backend/large/large.h): intervals and their contents.
//
// The layer's cache is internal; the model sees it in the statistics, and in
// every block made from it: whatever pages are moved, no block's contents may
// change, and no two blocks may overlap.
#ifndef HAKMEM_TESTS_STATE_FUZZ_LARGE_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_LARGE_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "backend/spans/span.h"
#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class LargeModel {
 public:
  explicit LargeModel(ByteSource& source);
  ~LargeModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  void Allocate(ByteSource& source);
  void GiveBack(ByteSource& source);
  void Resize(ByteSource& source);
  void AskImpossible(ByteSource& source);
  void FreeWhatIsNone(ByteSource& source);
  void Purge(bool force);
  size_t DrawBytes(ByteSource& source) const;

  const OptionGuard decay_;
  const uint64_t allocate_weight_;
  const size_t most_bytes_;
  uint64_t now_;
  LiveBlocks blocks_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_LARGE_MODEL_H_
