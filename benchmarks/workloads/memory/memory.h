// Declares the workloads of memory.def, which says what they do.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

#define WORKLOAD(name, function, ...) void function(Run& run);
#include "benchmarks/workloads/memory/memory.def"
#undef WORKLOAD

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_
