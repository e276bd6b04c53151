// Warms up the machine's free memory before a run. A hypervisor may reclaim the
// free pages of a virtual machine within seconds, and their next user then
// waits some microseconds for each. Without this the cost of a run would depend
// on when it starts.
#ifndef HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_

#include <cstdint>

namespace hakmem::bench {

// Touches `mib` MiB of fresh memory, by huge pages where the kernel has them,
// and gives them back. Less, when that is more than half of what is free.
void WarmMemory(uint64_t mib);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_
