// Declares the workloads of small.def, which says what they do.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

#define WORKLOAD(name, function, ...) void function(Run& run);
#include "benchmarks/workloads/small/small.def"
#undef WORKLOAD

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_
