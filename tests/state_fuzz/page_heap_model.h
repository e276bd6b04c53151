// Model of the page heap (backend/spans/page_heap.h): a set of intervals.
//
// From the spans in use everything else follows, and the model holds the heap
// to it: the free spans are the gaps between them, as long as can be; a request
// is served from the shortest gap that has room; a span grows exactly when the
// pages behind it are free; a chunk without a span in use is gone; and what is
// not counted as resident reads as zeros and is not resident.
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
  // How a span is marked, as its tag in spans_.
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

  // The free spans of all chunks that hold a span.
  std::vector<Gap> Gaps() const;
  // Free pages behind `span`, in its chunk.
  size_t PagesBehind(const LiveBlock& span) const;

  const FaultWatch run_;
  const OptionGuard decay_;
  const uint64_t allocate_weight_;
  const size_t most_pages_;
  uint64_t now_ = 0;  // CoarseMilliseconds, as far as the heap is told
  LiveBlocks spans_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_PAGE_HEAP_MODEL_H_
