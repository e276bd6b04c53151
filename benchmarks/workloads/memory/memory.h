// Workloads about memory: how much an allocator has resident for what is live,
// while a heap grows, after it was freed, and when sizes change over time. All
// report resident_before_kib, resident_after_kib and live_after_kib, and a
// series of resident against live memory. What they keep books in lies outside
// malloc, is resident from the start, and so is in all of these figures alike.
// An operation is an allocation, and its free where there is one.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// A heap grows to 4 GiB of blocks of 16 bytes to 64 KiB, 1 KiB on average, and
// all of it is freed: in the order in which it was made, or shuffled; by the
// thread that made it, by two others at once, or by two others after the two
// that made it have ended. Then two seconds of light activity (light.h) on all
// threads there are. Only allocating and freeing is timed. Resident memory is
// read before, with the freeing threads running and warm, and after.
void GrowInOrderSame(Run& run);
void GrowInOrderOthers(Run& run);
void GrowInOrderEnded(Run& run);
void GrowShuffledSame(Run& run);
void GrowShuffledOthers(Run& run);
void GrowShuffledEnded(Run& run);

// 256 MiB of blocks of one small size are made, and all but each 64th freed;
// the same with another size; then as many bytes are made of a third. What was
// freed lies between blocks that stay, so it is of use to another size only if
// the allocator can make another use of parts of pages, or gives back what lies
// idle. Then two seconds of light activity, untimed, and the last reading.
void ThinOut(Run& run);

// 64 MiB of live blocks, replaced at random, while the sizes that are asked for
// rise slowly from 16 to 256 bytes up to 4 to 64 KiB, and fall again.
void Drift(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_MEMORY_H_
