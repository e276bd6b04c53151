// The memory limit of this process's cgroup, of either version.
#ifndef HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_
#define HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_

#include <cstdint>

namespace hakmem {

struct CgroupMemory {
  int version = 0;  // 1 or 2; 0 when no limit was found
  uint64_t used = 0;
  uint64_t limit = 0;
  // Of `used`: page cache, which the kernel drops when it needs memory.
  uint64_t files = 0;
};

// Looks at the process's cgroup and all its ancestors, under the folder `root`
// ("" for the real one), and returns the one with the least memory left.
// Async-signal-safe; allocates nothing; changes errno.
[[gnu::cold]] CgroupMemory FindCgroupMemory(const char* root);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_
