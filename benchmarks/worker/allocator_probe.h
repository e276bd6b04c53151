// What the worker can learn about the allocator that it happens to run on,
// linked or preloaded, without knowing which it is. Call after the measured
// part: finding symbols may allocate.
#ifndef HAKMEM_BENCHMARKS_WORKER_ALLOCATOR_PROBE_H_
#define HAKMEM_BENCHMARKS_WORKER_ALLOCATOR_PROBE_H_

#include <stddef.h>
#include <stdint.h>

namespace hakmem::bench {

// The file that malloc comes from ("" when the loader cannot tell). Static
// storage, as is everything else here.
const char* MallocLibrary();

// HAKMEM's version and statistics (a JSON object); null on other allocators.
const char* AllocatorVersion();
const char* AllocatorStatistics();

// Whether malloc_usable_size comes from the same file as malloc; if not, it
// must not be asked about malloc's blocks.
bool KnowsUsableSize();
// Bytes the program may use in a block from malloc.
size_t UsableSize(void* block);

// Bytes that libc's own malloc holds from the system, whoever interposes:
// an allocator that never falls back to libc leaves this 0. -1 when libc
// cannot tell.
int64_t LibcMallocBytes();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_ALLOCATOR_PROBE_H_
