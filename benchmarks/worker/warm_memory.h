// Memory that the machine has at hand. A hypervisor may take the free pages of
// a virtual machine back within seconds; whoever is next to use them waits for
// them, some microseconds a page. What a run costs then depends on when it
// comes, so every run begins with as much free memory that was just in use.
#ifndef HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_

#include <cstdint>

namespace hakmem::bench {

// Touches `mib` MiB of fresh memory, by huge pages where the kernel has them,
// and gives them back. Less, when that is more than half of what is free.
void WarmMemory(uint64_t mib);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_WARM_MEMORY_H_
