// Declares the workloads of large.def, which says what they do.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

#define WORKLOAD(name, function, ...) void function(Run& run);
#include "benchmarks/workloads/large/large.def"
#undef WORKLOAD

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_
