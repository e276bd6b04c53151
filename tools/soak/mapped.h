// Memory for the worker's own data: mapped, so that a broken malloc cannot
// corrupt the data that it is checked with.
#ifndef HAKMEM_TOOLS_SOAK_MAPPED_H_
#define HAKMEM_TOOLS_SOAK_MAPPED_H_

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cstddef>

namespace hakmem::soak {

// `count` objects whose bytes are 0. With `shared`, forked children write to
// the same memory. Never unmapped.
template <typename T>
T* Map(size_t count, bool shared = false) {
  void* const memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
           MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE),
           -1, 0);
  if (memory == MAP_FAILED) {
    perror("soak_worker: cannot map memory for its own data");
    exit(3);
  }
  return static_cast<T*>(memory);
}

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_MAPPED_H_
