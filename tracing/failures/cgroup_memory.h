// The memory limit of the cgroup that this process is in, of either version.
#ifndef HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_
#define HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_

#include <cstdint>

namespace hakmem {

struct CgroupMemory {
  int version = 0;  // 1 or 2; 0 when no limit was found
  uint64_t used = 0;
  uint64_t limit = 0;
  // Of `used`: files kept in memory, which the kernel drops when it needs to.
  uint64_t files = 0;
};

// Looks at the process's cgroup and all those above it, under the folder
// `root` ("" for the real one), and returns the one that leaves least room.
// Async-signal-safe; allocates nothing; changes errno.
[[gnu::cold]] CgroupMemory FindCgroupMemory(const char* root);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_CGROUP_MEMORY_H_
