// A buffer that grows and shrinks by realloc and knows what it holds, also at
// places that lay in the middle when it moved.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_LARGE_GRAINED_BUFFER_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_LARGE_GRAINED_BUFFER_H_

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/worker/random.h"
#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// It consists of grains of one size, that of its first allocation, but none
// above a page. The last word of each holds the buffer's tag and its place, so
// that neither another buffer's content nor its own at a wrong place will do.
class GrainedBuffer {
 public:
  size_t size() const { return size_; }
  unsigned char* data() const { return data_; }

  // `size`: at least two words, and below a page or so many whole pages.
  void Allocate(size_t size, uint64_t tag) {
    grain_ = size < kPage ? size : kPage;
    tag_ = tag;
    Adopt(malloc(size), size);
    Fill(0);
  }

  // `size`: a multiple of the grain. Looks at the ends of what must still be
  // there, and at one place between.
  void Resize(size_t size, Random& random) {
    const size_t old_size = size_;
    Adopt(realloc(data_, size), size);
    const size_t stays = old_size < size ? old_size : size;
    Check(0);
    Check(random.Below(stays / grain_));
    Check(stays / grain_ - 1);
    if (size > old_size) Fill(old_size / grain_);
  }

  void CheckAll() const {
    for (size_t grain = 0; grain < size_ / grain_; ++grain) Check(grain);
  }

  void Free() {
    free(data_);
    data_ = nullptr;
  }

 private:
  static constexpr size_t kPage = 4096;

  void Adopt(void* data, size_t size) {
    if (data == nullptr) {
      Die(kAllocatorFailed, "out of memory: no buffer of %zu bytes", size);
    }
    data_ = static_cast<unsigned char*>(data);
    size_ = size;
  }

  uint64_t Word(size_t grain) const { return tag_ ^ grain; }
  unsigned char* Place(size_t grain) const {
    return data_ + (grain + 1) * grain_ - sizeof(uint64_t);
  }

  // Writes all grains from the one given on.
  void Fill(size_t grain) {
    for (; grain < size_ / grain_; ++grain) {
      const uint64_t word = Word(grain);
      memcpy(Place(grain), &word, sizeof(word));
    }
  }

  void Check(size_t grain) const {
    const uint64_t word = Word(grain);
    if (memcmp(Place(grain), &word, sizeof(word)) != 0) {
      Die(kAllocatorFailed,
          "the buffer of %zu bytes at %p no longer holds what was written to "
          "it, %zu bytes from its start",
          size_, static_cast<void*>(data_), (grain + 1) * grain_);
    }
  }

  unsigned char* data_ = nullptr;
  size_t size_ = 0;
  size_t grain_ = 0;
  uint64_t tag_ = 0;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_LARGE_GRAINED_BUFFER_H_
