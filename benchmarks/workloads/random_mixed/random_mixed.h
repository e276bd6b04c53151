// The random-mixed workload: an array of slots, each empty or holding a block.
// A step picks a slot at random; if it holds a block the block is freed, else
// one of kMinSize to kMaxSize bytes (uniform) is allocated into it and its
// first and last byte are written. So half of the slots are full in the long
// run, lifetimes are geometric, and no allocator can foresee the next step.
// Workloads with other sizes (workloads/small/lognormal.cc) take the same
// steps: they name a class of their own for Sizes, which is as UniformSizes.
//
// Everything that measures the workload includes this file, and the loop is
// the same for every allocator: a Heap is any class with
//     void* Allocate(size_t size);             // null: out of memory
//     void Free(void* block, size_t size);     // size as given to Allocate
// FloorHeap (floor_heap.h) is the Heap that costs next to nothing.
//
// Inside the loop nothing of a block is read: a check there would pull into
// the cache what an allocator touches next, and so hide what it costs.
// FirstDamaged() checks every live block outside the timed part instead.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_RANDOM_MIXED_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_RANDOM_MIXED_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/random.h"

namespace hakmem::bench {

inline constexpr size_t kMinSize = 16;
inline constexpr size_t kMaxSize = 1040;

// Limits of a working set: the slot number takes the low bits of a random
// number whose upper half makes the size.
inline constexpr size_t kMinSlots = 2;
inline constexpr size_t kMaxSlots = size_t{1} << 26;

constexpr bool IsWorkingSet(uint64_t slots) {
  return slots >= kMinSlots && slots <= kMaxSlots && (slots & (slots - 1)) == 0;
}

struct Slot {
  unsigned char* block;  // null: empty
  size_t size;           // what was asked for
};

// Random-mixed's own sizes.
struct UniformSizes {
  // The size, at least 1, that `bits`, 32 random ones, stand for.
  size_t operator()(uint64_t bits) const {
    // Scales them to the range without a division.
    return kMinSize + (bits * (kMaxSize - kMinSize + 1) >> 32);
  }
};

template <class Heap, class Sizes = UniformSizes>
class RandomMixed {
 public:
  // `slots` points to `count` zeroed slots (IsWorkingSet(count)) and, like
  // `heap`, outlives this object. So does what `sizes`, of which this keeps a
  // copy, refers to.
  RandomMixed(Heap& heap, Slot* slots, size_t count, uint64_t seed,
              Sizes sizes = Sizes())
      : heap_(heap),
        slots_(slots),
        count_(count),
        random_(seed),
        sizes_(sizes) {}

  // Steps enough to reach the steady state: slots half full, and the
  // allocator's own lists as long as they get.
  bool WarmUp() { return Run(16 * count_); }

  // Takes `steps` steps. False when the heap was out of memory.
  bool Run(uint64_t steps) {
    // Copies: the compiler cannot know that the heap leaves the members alone.
    Random random = random_;
    const Sizes sizes = sizes_;
    Slot* const slots = slots_;
    const size_t mask = count_ - 1;
    for (; steps != 0; --steps) {
      const uint64_t bits = random.Next();
      const size_t index = bits & mask;
      Slot& slot = slots[index];
      if (slot.block != nullptr) {
        heap_.Free(slot.block, slot.size);
        slot.block = nullptr;
        continue;
      }
      const size_t size = sizes(bits >> 32);
      auto* block = static_cast<unsigned char*>(heap_.Allocate(size));
      if (block == nullptr) return false;
      const unsigned char mark = Mark(index, size);
      block[0] = mark;
      block[size - 1] = static_cast<unsigned char>(~mark);
      slot = {block, size};
    }
    random_ = random;
    return true;
  }

  // The first slot whose block no longer holds what was written to its first
  // and last byte; null when all do.
  const Slot* FirstDamaged() const {
    for (size_t i = 0; i < count_; ++i) {
      const Slot& slot = slots_[i];
      if (slot.block == nullptr) continue;
      const unsigned char mark = Mark(i, slot.size);
      // Of a block of one byte the last byte is all there is.
      if ((slot.block[0] != mark && slot.size != 1) ||
          slot.block[slot.size - 1] != static_cast<unsigned char>(~mark)) {
        return &slot;
      }
    }
    return nullptr;
  }

  void FreeAll() {
    for (size_t i = 0; i < count_; ++i) {
      if (slots_[i].block != nullptr) {
        heap_.Free(slots_[i].block, slots_[i].size);
      }
      slots_[i] = {};
    }
  }

 private:
  // What the first byte holds (the last holds its complement): other slots
  // and other sizes mostly have another mark, so overlapping blocks show.
  static unsigned char Mark(size_t index, size_t size) {
    return static_cast<unsigned char>(index ^ (index >> 8) ^ size);
  }

  Heap& heap_;
  Slot* const slots_;
  const size_t count_;
  Random random_;
  [[no_unique_address]] const Sizes sizes_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_RANDOM_MIXED_H_
