// Declares the workloads of programs.def, which says what they do.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

#define WORKLOAD(name, function, ...) void function(Run& run);
#include "benchmarks/workloads/programs/programs.def"
#undef WORKLOAD

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_
