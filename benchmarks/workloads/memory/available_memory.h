// How much memory a workload may take without starving the machine.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_AVAILABLE_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_AVAILABLE_MEMORY_H_

#include <stdint.h>

namespace hakmem::bench {

// What the kernel thinks can be had without swapping, in KiB, and no more than
// the limit of the container that the process runs in, if there is one. 0 when
// /proc does not say.
uint64_t AvailableKib();

// Ends the process with kCannotRun and one line unless 1.5 times `bytes` is
// available: allocators need more than they hand out, and a machine that is
// short of memory measures its own paging.
void RequireAvailable(uint64_t bytes);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_AVAILABLE_MEMORY_H_
