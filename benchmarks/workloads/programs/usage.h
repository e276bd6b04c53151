// What a process used, as the kernel tells its parent.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_USAGE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_USAGE_H_

#include <sys/types.h>

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// Waits for the end of a child that was started at that time (of
// CLOCK_MONOTONIC, in ns). Both the time and the page faults are the child's
// and those of all that it waited for; peak memory is that of the largest.
Used WaitFor(pid_t child, uint64_t started, int* status);

// Adds up all but peak memory, of which the larger one stays.
void Add(const Used& used, Used& sum);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_USAGE_H_
