// What the threads of a worker do: workloads, each some milliseconds of one
// kind of traffic. Which one comes next is drawn by weight.
#ifndef HAKMEM_TOOLS_SOAK_WORKLOADS_H_
#define HAKMEM_TOOLS_SOAK_WORKLOADS_H_

#include <cstddef>

#include "tools/soak/block_list.h"
#include "tools/soak/block_queue.h"
#include "tools/soak/random.h"

namespace hakmem::soak {

// What a thread has. Lies in mapped memory and serves one thread after the
// other.
struct ThreadState {
  Random random;
  BlockList kept;     // lives across workloads, until the thread ends
  BlockList scratch;  // empty between workloads
  QueuePair queues;   // to and from a thread that a workload starts
  bool in_child;      // of fork: there are no other threads
};

// Once; `budget` is what its blocks may hold, in bytes.
void InitThreadState(ThreadState& state, size_t budget);

// Draws a workload and runs it.
void RunOneWorkload(ThreadState& state);

// small_workloads.cc
void SmallMix(ThreadState& state);
void Batches(ThreadState& state);
void GrowAndThin(ThreadState& state);

// large_workloads.cc
void MidMix(ThreadState& state);
void LargeMix(ThreadState& state);
void ReallocSteps(ThreadState& state);
void Aligned(ThreadState& state);
void Zeroed(ThreadState& state);

// container_workloads.cc
void Maps(ThreadState& state);
void Strings(ThreadState& state);
void Trees(ThreadState& state);

// thread_workloads.cc
void PassOn(ThreadState& state);
void ProduceAndConsume(ThreadState& state);
void RequestAndAnswer(ThreadState& state);

// process_workloads.cc
void Fork(ThreadState& state);
void Idle(ThreadState& state);
void Maintain(ThreadState& state);

// Frees the blocks that threads left for others (PassOn), when all threads have
// ended.
void ReleasePassedOn(Random& random);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_WORKLOADS_H_
