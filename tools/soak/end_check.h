// Whether a library is as it was at the start, once all was freed.
#ifndef HAKMEM_TOOLS_SOAK_END_CHECK_H_
#define HAKMEM_TOOLS_SOAK_END_CHECK_H_

#include <cstddef>

#include "hakmem/hakmem.h"

namespace hakmem::soak {

// What the process and the library hold, after what is cached was given back.
struct Holding {
  bool has_stats;
  hakmem_stats_t stats;
  size_t resident;
};

Holding Hold();

// Tells an error for each thing that is not as it was. `allowed` is what may be
// resident besides, in bytes.
void JudgeEnd(const Holding& start, const Holding& end, size_t allowed);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_END_CHECK_H_
