// What another process has resident.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_RESIDENT_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_RESIDENT_H_

#include <stdint.h>
#include <sys/types.h>

namespace hakmem::bench {

// In KiB, to the page. Most figures of the kernel, those of getrusage among
// them, are late by up to some 100 KiB, which may be all that a small program
// has of its own. 0 when it can't be seen.
uint64_t ResidentKibOf(pid_t process);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_RESIDENT_H_
