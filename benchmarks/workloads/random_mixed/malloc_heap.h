// The Heap (random_mixed.h) of whatever malloc the program has.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MALLOC_HEAP_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MALLOC_HEAP_H_

#include <stddef.h>
#include <stdlib.h>

namespace hakmem::bench {

// Compile with HAKMEM_NO_BUILTIN_MALLOC (hakmem.bzl), or the compiler may do
// away with what is to be measured.
struct MallocHeap {
  void* Allocate(size_t size) { return malloc(size); }
  // Not told the size: that is how most programs free.
  void Free(void* block, size_t /*size*/) { free(block); }
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_RANDOM_MIXED_MALLOC_HEAP_H_
