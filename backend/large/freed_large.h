// The large blocks that were freed last: where they were and how long. Their
// addresses are nobody's afterwards, or are parked, so that only this tells a
// second free of one from the free of an address that was never a block.
// Large's, under its lock; read when the process is about to end.
#ifndef HAKMEM_BACKEND_LARGE_FREED_LARGE_H_
#define HAKMEM_BACKEND_LARGE_FREED_LARGE_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class FreedLarge {
 public:
  constexpr FreedLarge() = default;

  void Add(uintptr_t address, size_t bytes) {
    last_[count_++ % kMost] = {address, bytes};
  }

  // Bytes that the block at `address` had when it was freed last; 0 when none
  // that is remembered was there.
  size_t BytesAt(uintptr_t address) const {
    for (size_t back = 1; back <= kMost && back <= count_; ++back) {
      const Block& block = last_[(count_ - back) % kMost];
      if (block.address == address) return block.bytes;
    }
    return 0;
  }

  // Whether there were more than are remembered.
  bool HasForgotten() const { return count_ > kMost; }

 private:
  static constexpr size_t kMost = 256;

  struct Block {
    uintptr_t address;
    size_t bytes;
  };

  Block last_[kMost] = {};
  size_t count_ = 0;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_FREED_LARGE_H_
