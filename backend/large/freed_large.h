// The addresses and lengths of the large blocks freed last. Afterwards their
// addresses are unmapped or cached, so only this distinguishes a double free
// from the free of an address that was never a block. Used by Large, under its
// lock; read when the process is about to abort.
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

  // Bytes of the block last freed at `address`; 0 when none is remembered.
  size_t BytesAt(uintptr_t address) const {
    for (size_t back = 1; back <= kMost && back <= count_; ++back) {
      const Block& block = last_[(count_ - back) % kMost];
      if (block.address == address) return block.bytes;
    }
    return 0;
  }

  // Whether older ones were dropped.
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
