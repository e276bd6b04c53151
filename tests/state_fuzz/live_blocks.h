// LiveBlocks: the blocks that a model holds, by address, and what it wrote
// there. Most models' state is this and little else.
//
// A block that is added must overlap no other; its memory is written to, with
// words that no other block has; and when it is looked at or removed they must
// be there still. So a block handed out twice, or purged while in use, shows.
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
  uint64_t tag = 0;  // the model's own
};

class LiveBlocks {
 public:
  // Adds a block and writes to it.
  void Add(uintptr_t address, size_t bytes, uint64_t tag = 0);

  // Takes the block at `address` out; what was written must be there.
  LiveBlock Remove(uintptr_t address);

  // The block at `old_address` is now at `address` and `bytes` long: in the
  // first `kept` bytes, as far as it went, what was written must be there. Then
  // writes anew.
  void Move(uintptr_t old_address, uintptr_t address, size_t bytes,
            size_t kept);
  void Move(uintptr_t old_address, uintptr_t address, size_t bytes) {
    Move(old_address, address, bytes, bytes);
  }

  // Changes the model's own mark.
  void SetTag(uintptr_t address, uint64_t tag);

  // One of them, which must not be none.
  LiveBlock Pick(ByteSource& source) const;

  // Whether any byte of [address, address+bytes) is a block's.
  bool Overlaps(uintptr_t address, size_t bytes) const;

  // What was written to all of them must be there.
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
    uint64_t id;   // tells its words from others'
    size_t place;  // in order_
  };

  const Entry& EntryAt(uintptr_t address) const;

  std::map<uintptr_t, Entry> blocks_;
  std::vector<uintptr_t> order_;  // in any order, to pick from
  size_t bytes_ = 0;
  uint64_t next_id_ = 1;
};

// Whether [address, address+bytes) reads as zeros: all of it up to 1 MiB, a
// word of every 64 KiB when it is longer.
void CheckZero(uintptr_t address, size_t bytes);

// Whether more is resident than anyone asked for.
bool KernelMakesHugePagesUnasked();

// Bytes of [address, address+bytes), which is mapped, that the kernel holds.
size_t KernelResidentBytes(uintptr_t address, size_t bytes);

// Bytes that the kernel holds for the chunks in which `blocks` lie; 0 where it
// makes huge pages unasked. Of those blocks only that `counts` is true of.
size_t ResidentInChunksOf(
    const LiveBlocks& blocks,
    bool (*counts)(const LiveBlock&) = [](const LiveBlock&) { return true; });

// How many different chunks `blocks` lie in.
size_t CountChunksOf(const LiveBlocks& blocks);

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_LIVE_BLOCKS_H_
