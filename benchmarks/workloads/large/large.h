// Workloads of large blocks, where what counts is how an allocator deals with
// the operating system, and whether it can let a block grow where it lies. Both
// run on one thread for about half a second.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// Random slots of 16 are replaced by blocks of 256 KiB to 32 MiB, log-uniform,
// of which a word in each page is written. An operation is an allocation and
// its free.
void LargeBlocks(Run& run);

// Many buffers side by side grow by realloc in small steps: 256 of them by 16
// bytes up to 4 KiB, 16 by 4 KiB up to 1 MiB, 4 by half up to 8 MiB. One that
// has reached its top shrinks, to a half each time, and then grows again. Every
// few steps another block is replaced, so that a buffer often has no room to
// grow into. An operation is a realloc.
void ReallocLadder(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_LARGE_LARGE_H_
