// The blocks that one thread holds, within a budget of bytes.
#ifndef HAKMEM_TOOLS_SOAK_BLOCK_LIST_H_
#define HAKMEM_TOOLS_SOAK_BLOCK_LIST_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tools/soak/blocks.h"
#include "tools/soak/mapped.h"
#include "tools/soak/random.h"

namespace hakmem::soak {

// Not thread-safe.
class BlockList {
 public:
  static constexpr size_t kMostBlocks = 65536;

  // Call it once, before use. Lists lie in zeroed memory.
  void Start(size_t budget) {
    blocks_ = Map<Block>(kMostBlocks);
    budget_ = budget;
  }

  size_t size() const { return size_; }
  Block& operator[](size_t i) { return blocks_[i]; }
  bool HasRoomFor(size_t bytes) const {
    return size_ < kMostBlocks && bytes <= budget_ && held_ <= budget_ - bytes;
  }

  // False when the request failed, or when the budget is used up.
  bool Add(Random& random, size_t size, size_t alignment = 0,
           Entry entry = Entry::kAny) {
    if (!HasRoomFor(size)) return false;
    if (!Allocate(random, size, alignment, entry, blocks_[size_])) return false;
    ++size_;
    held_ += size;
    return true;
  }

  // Takes a block that another thread allocated.
  bool Adopt(const Block& block) {
    if (!HasRoomFor(block.size)) return false;
    blocks_[size_++] = block;
    held_ += block.size;
    return true;
  }

  // Removes the block; the last one takes its place.
  Block Take(size_t i) {
    const Block taken = blocks_[i];
    held_ -= taken.size;
    blocks_[i] = blocks_[--size_];
    blocks_[size_] = {};
    return taken;
  }

  void ReleaseOne(Random& random, size_t i) {
    Block block = Take(i);
    Release(random, block);
  }

  bool ResizeOne(Random& random, size_t i, size_t size) {
    const size_t former = blocks_[i].size;
    if (size > former && !HasRoomFor(size - former)) return false;
    if (!Resize(random, size, blocks_[i])) return false;
    held_ = held_ - former + size;
    return true;
  }

  void CheckAll() {
    for (size_t i = 0; i < size_; ++i) Check(blocks_[i]);
  }

  void Shuffle(Random& random) {
    for (size_t i = size_; i > 1; --i) {
      std::swap(blocks_[i - 1], blocks_[random.Below(i)]);
    }
  }

  // Releases the last ones until `count` are left.
  void Shrink(Random& random, size_t count) {
    while (size_ > count) ReleaseOne(random, size_ - 1);
  }

  // Releases all, the oldest first.
  void ReleaseInOrder(Random& random) {
    for (size_t i = 0; i < size_; ++i) Release(random, blocks_[i]);
    size_ = 0;
    held_ = 0;
  }

 private:
  Block* blocks_;
  size_t size_;
  size_t held_;
  size_t budget_;
};

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_BLOCK_LIST_H_
