// Declares the workloads of threads.def, which says what they do.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

#define WORKLOAD(name, function, ...) void function(Run& run);
#include "benchmarks/workloads/threads/threads.def"
#undef WORKLOAD

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_
