// Model of the page heap (backend/spans/page_heap.h): a set of intervals.
//
// The spans in use determine everything else, and the model checks it: the free
// spans are the maximal gaps between them; a request is served from the
// shortest gap that fits; a span grows exactly if the pages after it are free;
// a chunk without a span in use is freed; and what is not counted as resident
// reads as zeros and is not resident.
#ifndef HAKMEM_TESTS_STATE_FUZZ_PAGE_HEAP_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_PAGE_HEAP_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class PageHeapModel {
 public:
  explicit PageHeapModel(ByteSource& source);
  ~PageHeapModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  // The tag of a span in spans_.
  enum Mark : uint64_t { kUsed, kCached };

  struct Gap {
    uintptr_t address;
    size_t pages;
  };

  void Allocate(ByteSource& source);
  void Free(ByteSource& source);
  void Resize(ByteSource& source);
  void ChangeMark(ByteSource& source);
  void FreeWhatIsNone(ByteSource& source);
  void Purge(ByteSource& source);

  // The free spans of all chunks that contain a span.
  std::vector<Gap> Gaps() const;
  // Free pages after `span`, in its chunk.
  size_t PagesBehind(const LiveBlock& span) const;

  const FaultWatch run_;
  const OptionGuard decay_;
  const uint64_t allocate_weight_;
  const size_t most_pages_;
  uint64_t now_ = 0;  // the CoarseMilliseconds passed to the heap
  LiveBlocks spans_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_PAGE_HEAP_MODEL_H_
