// An index of millions of malloc blocks: 16 bytes for each, outside malloc and
// resident from the start. Blocks are touched and checked as in block_array.h.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_BLOCK_INDEX_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_BLOCK_INDEX_H_

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// Threads may use it at once as long as they use different entries, planned
// beforehand.
class BlockIndex {
 public:
  explicit BlockIndex(size_t capacity)
      : entries_(static_cast<Entry*>(MapMemory(capacity * sizeof(Entry)))),
        capacity_(capacity) {
    if (entries_ == nullptr) Die(kCannotRun, "no memory for the index");
    memset(static_cast<void*>(entries_), 0, capacity * sizeof(Entry));
  }
  ~BlockIndex() {
    for (size_t i = 0; i < capacity_; ++i) {
      if (entries_[i].data != nullptr) Free(i);
    }
    UnmapMemory(entries_, capacity_ * sizeof(Entry));
  }
  BlockIndex(const BlockIndex&) = delete;
  BlockIndex& operator=(const BlockIndex&) = delete;

  size_t capacity() const { return capacity_; }
  size_t size(size_t i) const { return entries_[i].size; }

  // Says what block entry `i`, which has none, is to have: one of `size` bytes,
  // which is below 4 GiB.
  void Plan(size_t i, size_t size) {
    entries_[i] = {nullptr, static_cast<uint32_t>(size), ++planned_};
  }
  // Allocates and touches the block that was planned.
  void Make(size_t i) {
    Entry& entry = entries_[i];
    entry.data = MakeBlock(entry.size, DistinctTag(entry.number)).data;
  }
  // Frees the block of entry `i` after looking at its ends.
  void Free(size_t i) {
    Entry& entry = entries_[i];
    Block{entry.data, entry.size, DistinctTag(entry.number)}.CheckEnds();
    free(entry.data);
    entry.data = nullptr;
  }
  // Hands the block of entry `from` over to entry `to`, which has none or is
  // the same.
  void Move(size_t from, size_t to) {
    const Entry entry = entries_[from];
    entries_[from].data = nullptr;
    entries_[to] = entry;
  }
  // Puts all entries into random order.
  void Shuffle(Random& random) {
    for (size_t left = capacity_; left > 1; --left) {
      const size_t i = random.Below(left);
      const Entry entry = entries_[i];
      entries_[i] = entries_[left - 1];
      entries_[left - 1] = entry;
    }
  }

 private:
  struct Entry {
    unsigned char* data;  // null: none
    uint32_t size;
    uint32_t number;  // tells the tag (DistinctTag)
  };
  static_assert(sizeof(Entry) == 16);

  Entry* const entries_;
  const size_t capacity_;
  uint32_t planned_ = 0;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_BLOCK_INDEX_H_
