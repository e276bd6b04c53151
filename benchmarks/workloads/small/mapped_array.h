// A workload's own array, outside malloc and resident from the start, so that
// its memory is in every figure alike.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_SMALL_MAPPED_ARRAY_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_SMALL_MAPPED_ARRAY_H_

#include <stddef.h>
#include <string.h>

#include <type_traits>
#include <utility>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

template <class T>
class MappedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Zeroed. `count` is above 0 and below 2^32.
  explicit MappedArray(size_t count)
      : items_(static_cast<T*>(MapMemory(count * sizeof(T)))), count_(count) {
    if (items_ == nullptr) {
      Die(kAllocatorFailed, "no memory for the harness's own arrays");
    }
    memset(static_cast<void*>(items_), 0, count * sizeof(T));
  }
  ~MappedArray() { UnmapMemory(items_, count_ * sizeof(T)); }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  size_t size() const { return count_; }
  T* begin() { return items_; }
  T* end() { return items_ + count_; }
  T& operator[](size_t index) { return items_[index]; }
  const T& operator[](size_t index) const { return items_[index]; }

  // Every order is as likely as any other.
  void Shuffle(Random& random) {
    for (size_t i = count_; i > 1; --i) {
      std::swap(items_[i - 1], items_[random.Below(i)]);
    }
  }

 private:
  T* const items_;
  const size_t count_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_SMALL_MAPPED_ARRAY_H_
