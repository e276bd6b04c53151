// Blocks from malloc that a program would use: when made, one word is written
// in every page and at both ends; when freed, both ends must still hold it.
// A block that overlaps another, or that lost its content, ends the process
// with one line.
//
// An array of blocks lies outside malloc and is resident from the start, so
// that its memory is in every figure alike.
#ifndef HAKMEM_BENCHMARKS_WORKER_BLOCK_ARRAY_H_
#define HAKMEM_BENCHMARKS_WORKER_BLOCK_ARRAY_H_

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// What is touched of a block: a word in every so many bytes.
inline constexpr size_t kTouchStep = 4096;

struct Block {
  unsigned char* data;  // null: none
  size_t size;          // asked for; at least one word
  uint64_t tag;         // what it holds; unlike that of any other block

  void Write(size_t offset) const { memcpy(data + offset, &tag, sizeof(tag)); }
  bool Holds(size_t offset) const {
    return memcmp(data + offset, &tag, sizeof(tag)) == 0;
  }
  size_t last_word() const { return size - sizeof(tag); }

  // In less than two words, the last covers the end of the first.
  bool HoldsFirstWord() const {
    return last_word() >= sizeof(tag) ? Holds(0)
                                      : memcmp(data, &tag, last_word()) == 0;
  }

  // Writes the tag into all that is touched from the byte `from` on, which is
  // where a page step begins.
  void Touch(size_t from = 0) const {
    for (size_t at = from; at < last_word(); at += kTouchStep) Write(at);
    Write(last_word());
  }

  void CheckEnds() const {
    if (!HoldsFirstWord() || !Holds(last_word())) DieDamaged();
  }
  // All that was touched, both ends among it.
  void CheckAll() const {
    CheckEnds();
    // A page's word that the last one overlaps is not whole any more.
    for (size_t at = kTouchStep; at + sizeof(tag) <= last_word();
         at += kTouchStep) {
      if (!Holds(at)) DieDamaged();
    }
  }

  [[noreturn]] void DieDamaged() const {
    Die(kAllocatorFailed,
        "the block of %zu bytes at %p no longer holds what was written to it",
        size, static_cast<void*>(data));
  }
};

// The tag number `number` of many that share no bytes to speak of. (Odd
// multiples never repeat; the constant is 2^64 divided by the golden ratio.)
constexpr uint64_t DistinctTag(uint64_t number) {
  return number * 0x9e3779b97f4a7c15;
}

// A fresh block, touched.
inline Block MakeBlock(size_t size, uint64_t tag) {
  const Block block = {static_cast<unsigned char*>(malloc(size)), size, tag};
  if (block.data == nullptr) {
    Die(kAllocatorFailed, "out of memory: no block of %zu bytes", size);
  }
  block.Touch();
  return block;
}

class BlockArray {
 public:
  // Threads with arrays of their own give them `first_tag`s far apart, so that
  // their blocks' tags differ too.
  explicit BlockArray(size_t count, uint64_t first_tag = 0)
      : blocks_(static_cast<Block*>(MapMemory(count * sizeof(Block)))),
        count_(count),
        made_(first_tag) {
    if (blocks_ == nullptr) Die(kAllocatorFailed, "no memory for the slots");
    memset(static_cast<void*>(blocks_), 0, count * sizeof(Block));
  }
  ~BlockArray() {
    FreeAll();
    UnmapMemory(blocks_, count_ * sizeof(Block));
  }
  BlockArray(const BlockArray&) = delete;
  BlockArray& operator=(const BlockArray&) = delete;

  size_t count() const { return count_; }
  const Block& operator[](size_t index) const { return blocks_[index]; }

  // Frees what slot `index` holds, if anything, after looking at its ends.
  void Free(size_t index) {
    Block& block = blocks_[index];
    if (block.data == nullptr) return;
    block.CheckEnds();
    free(block.data);
    live_bytes_ -= block.size;
    block.data = nullptr;
  }

  // Frees what slot `index` holds and puts a fresh block there.
  void Replace(size_t index, size_t size) {
    Free(index);
    Put(index, MakeBlock(size, DistinctTag(++made_)));
  }

  // Puts a block made elsewhere, or what Take returned, into slot `index`,
  // which is empty.
  void Put(size_t index, const Block& block) {
    blocks_[index] = block;
    live_bytes_ += block.size;
  }

  // Empties slot `index` and returns its block, of which the caller has to take
  // care; one of no bytes at null when there was none.
  Block Take(size_t index) {
    const Block block = blocks_[index];
    if (block.data == nullptr) return {};
    live_bytes_ -= block.size;
    blocks_[index].data = nullptr;
    return block;
  }

  void FreeAll() {
    for (size_t i = 0; i < count_; ++i) Free(i);
  }

  // Bytes asked for and not yet freed.
  size_t live_bytes() const { return live_bytes_; }

 private:
  Block* const blocks_;
  const size_t count_;
  size_t live_bytes_ = 0;
  uint64_t made_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_BLOCK_ARRAY_H_
