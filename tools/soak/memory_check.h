// Whether the library holds what it held at the start, once all was freed.
#ifndef HAKMEM_TOOLS_SOAK_MEMORY_CHECK_H_
#define HAKMEM_TOOLS_SOAK_MEMORY_CHECK_H_

#include <cstddef>

#include "hakmem/hakmem.h"

namespace hakmem::soak {

// Measured after caches were given back.
struct MemoryUse {
  bool has_stats;
  hakmem_stats_t stats;
  size_t resident;
};

MemoryUse MeasureMemory();

// Reports an error for each figure that has grown. `allowed` is what may be
// resident besides, in bytes.
void CheckEnd(const MemoryUse& start, const MemoryUse& end, size_t allowed);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_MEMORY_CHECK_H_
