// Memory straight from the kernel for the harness's own arrays, so that the
// allocator under test neither serves nor sees them.
#ifndef HAKMEM_BENCHMARKS_WORKER_MAP_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKER_MAP_MEMORY_H_

#include <stddef.h>
#include <sys/mman.h>

namespace hakmem::bench {

// `bytes` of zeroed memory that costs nothing until touched, or null.
inline void* MapMemory(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Null is fine.
inline void UnmapMemory(void* memory, size_t bytes) {
  if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_MAP_MEMORY_H_
