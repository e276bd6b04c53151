// LiveBlocks: the blocks that a model holds, by address, and their expected
// contents. Most models' state is this and little else.
//
// An added block must overlap no other; it is filled with words unique to it,
// which must be intact whenever it is checked or removed. This detects a block
// allocated twice, or purged while in use.
#ifndef HAKMEM_TESTS_STATE_FUZZ_LIVE_BLOCKS_H_
#define HAKMEM_TESTS_STATE_FUZZ_LIVE_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

struct LiveBlock {
  uintptr_t address = 0;
  size_t bytes = 0;
  uint64_t tag = 0;  // defined by the model
};

class LiveBlocks {
 public:
  // Adds a block and fills it.
  void Add(uintptr_t address, size_t bytes, uint64_t tag = 0);

  // Removes the block at `address`; its contents must be intact.
  LiveBlock Remove(uintptr_t address);

  // The block at `old_address` is now at `address` and `bytes` long; the first
  // `kept` bytes (at most its old size) must be intact. Refills it.
  void Move(uintptr_t old_address, uintptr_t address, size_t bytes,
            size_t kept);
  void Move(uintptr_t old_address, uintptr_t address, size_t bytes) {
    Move(old_address, address, bytes, bytes);
  }

  // Changes the block's tag.
  void SetTag(uintptr_t address, uint64_t tag);

  // A random block; there must be one.
  LiveBlock Pick(ByteSource& source) const;

  // Whether any byte of [address, address+bytes) belongs to a block.
  bool Overlaps(uintptr_t address, size_t bytes) const;

  // The contents of all blocks must be intact.
  void CheckContents() const;

  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  size_t bytes() const { return bytes_; }

  // Calls visit(const LiveBlock&) for each, by address.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [address, entry] : blocks_) visit(entry.block);
  }

 private:
  struct Entry {
    LiveBlock block;
    uint64_t id;   // makes its words unique
    size_t place;  // index in order_
  };

  const Entry& EntryAt(uintptr_t address) const;

  std::map<uintptr_t, Entry> blocks_;
  std::vector<uintptr_t> order_;  // unordered, for Pick
  size_t bytes_ = 0;
  uint64_t next_id_ = 1;
};

// [address, address+bytes) must read as zeros: checks all of it up to 1 MiB,
// else one word of every 64 KiB.
void CheckZero(uintptr_t address, size_t bytes);

// Whether the kernel makes more resident than was touched.
bool KernelMakesHugePagesUnasked();

// Resident bytes of [address, address+bytes), which is mapped, by the kernel.
size_t KernelResidentBytes(uintptr_t address, size_t bytes);

// Resident bytes, by the kernel, of the chunks that contain `blocks` for which
// `counts` is true; 0 where the kernel makes huge pages unasked.
size_t ResidentInChunksOf(
    const LiveBlocks& blocks,
    bool (*counts)(const LiveBlock&) = [](const LiveBlock&) { return true; });

// The number of different chunks that contain `blocks`.
size_t CountChunksOf(const LiveBlocks& blocks);

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_LIVE_BLOCKS_H_
