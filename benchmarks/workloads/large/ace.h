// The workloads of the ACE suite: sizes above tiny, where an allocator's size
// classes, caches and dealings with the operating system are what matters. An
// operation is an allocation and its free, unless said otherwise. All take a
// fraction of a second, Bursts some three seconds.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_LARGE_ACE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_LARGE_ACE_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// Random slots of 64 or 4096 are replaced by blocks of 1 to 256 KiB,
// log-uniform. Reports internal_waste: usable over requested bytes, less 1.
void Steady64(Run& run);
void Steady4096(Run& run);

// Random replacement in a working set of 16 MiB, of 33 KiB buffers; then all
// freed, and the same with 100 KiB; then with 16 to 1024 bytes; and again.
void PhaseShift(Run& run);

// 64 MiB of blocks of 1 to 256 KiB, log-uniform, are allocated and all but a
// few freed, several times with pauses between; then two seconds of a block of
// 16 bytes to 64 KiB about every millisecond. Reports resident memory before
// and after, and what was live then. The pauses between bursts count, so that
// CPU time shows what an allocator does in them; those between the last blocks
// do not.
void Bursts(Run& run);

// A thread writes messages of 64 KiB, another reads and frees them. An
// operation is a message.
void Messages(Run& run);

// Three vectors at a time grow side by side from 1 KiB to 64 MiB by realloc,
// each time by half or to the double. An operation is a realloc.
void ReallocGrowth(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_LARGE_ACE_H_
