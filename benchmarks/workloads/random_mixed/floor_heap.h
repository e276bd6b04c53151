// The harness floor: a Heap (random_mixed.h) whose time is what the loop
// itself costs. A stack of free blocks per step of sizes, inlined, told the
// size on free; no ownership, no threads, no way back to the system. An
// allocator's cost is its time minus the time with this heap.
//
// Stacks are arrays of addresses, so a freed block is not touched:
//
//     region_  [ block | block | block | ... bump_ ->            end_ ]
//     stacks   [ step 1: block block ... | step 2: ... | ... step 65 ]
//                                    ^ tops_[1]
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_FLOOR_HEAP_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_FLOOR_HEAP_H_

#include <stddef.h>
#include <stdint.h>

#include <bit>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"

namespace hakmem::bench {

// The steps for the sizes of random-mixed: 16 bytes each.
struct EvenSteps {
  static constexpr size_t kLargest = kMaxSize;
  static constexpr size_t kGrain = 16;
  static constexpr size_t kSteps = (kLargest + kGrain - 1) / kGrain;
  // From 1 on.
  static size_t Of(size_t size) { return (size + kGrain - 1) / kGrain; }
  static size_t Bytes(size_t step) { return step * kGrain; }
};

// For sizes over a wide range: four steps from one power of two to the next.
struct FourthSteps {
  static constexpr size_t kLargest = 32768;
  static constexpr size_t kSteps = 51;
  static size_t Of(size_t size) {
    // The upper three bits of the last byte's offset, and where they are.
    const size_t last = size < 16 ? 15 : size - 1;
    const size_t shift = static_cast<size_t>(std::bit_width(last)) - 3;
    return shift * 4 + (last >> shift) - 4;
  }
  static size_t Bytes(size_t step) { return (step % 4 + 5) << step / 4; }
};

template <class Steps = EvenSteps>
class FloorHeap {
 public:
  // Serves RandomMixed with at most `slots` slots. Reserves address space
  // only; memory is taken as it is touched.
  explicit FloorHeap(size_t slots) {
    // A stack never holds more blocks than there are slots. The extra entries
    // keep the stacks from starting in the same cache set.
    const size_t stride = slots + kStagger;
    stacks_bytes_ = (kSteps + 1) * stride * sizeof(void*);
    stacks_ = static_cast<void**>(MapMemory(stacks_bytes_));
    // Blocks of a step are never used for another, so the region must hold
    // the most of each step that were ever live at once: on average half the
    // slots over all steps, with room for chance.
    region_bytes_ =
        2 * slots * Steps::kLargest + (kSteps + 1) * 64 * Steps::kLargest;
    region_ = static_cast<char*>(MapMemory(region_bytes_));
    bump_ = region_;
    for (size_t step = 0; step <= kSteps; ++step) {
      tops_[step] = bottoms_[step] = stacks_ + step * stride;
    }
  }

  ~FloorHeap() {
    UnmapMemory(stacks_, stacks_bytes_);
    UnmapMemory(region_, region_bytes_);
  }

  FloorHeap(const FloorHeap&) = delete;
  FloorHeap& operator=(const FloorHeap&) = delete;

  bool ok() const { return stacks_ != nullptr && region_ != nullptr; }

  void* Allocate(size_t size) {
    const size_t step = Steps::Of(size);
    if (tops_[step] != bottoms_[step]) return *--tops_[step];
    const size_t bytes = Steps::Bytes(step);
    if (bytes > static_cast<size_t>(region_ + region_bytes_ - bump_)) {
      return nullptr;
    }
    void* const block = bump_;
    bump_ += bytes;
    return block;
  }

  void Free(void* block, size_t size) { *tops_[Steps::Of(size)]++ = block; }

 private:
  static constexpr size_t kSteps = Steps::kSteps;
  static constexpr size_t kStagger = 24;

  void** tops_[kSteps + 1];
  void** bottoms_[kSteps + 1];
  char* bump_;
  char* region_;
  void** stacks_;
  size_t region_bytes_;
  size_t stacks_bytes_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_FLOOR_HEAP_H_
