// Housekeeping: periodic work of the process. A layer below the thread cache,
// which calls it from slow paths.
#ifndef HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
#define HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class PurgeBudget;

// Empties the reserves of waiting threads, within the budget.
using FlushIdle = void (*)(uint64_t now, PurgeBudget* budget);

// Returns free memory that is due at `now` (CoarseMilliseconds) to the OS, if
// the last time was a while ago, and free memory beyond the maximum. Cheap when
// there is neither. Takes at most some 0.3 ms, or 1 ms on a thread with few
// calls (`is_quiet`); the rest is left to later calls. `flush_idle` is provided
// by the thread cache. Thread-safe.
void RunHousekeeping(uint64_t now, bool is_quiet, FlushIdle flush_idle);

// Assembles whole chunks from memory that the layers below keep for later, for
// use instead of fresh ones. Returns nothing to the OS that is not due.
void GatherFreeChunks(uint64_t now);

// Returns all free memory outside threads' bins to the OS. Returns the bytes.
size_t CollectEverything();

// In the child of a fork: the housekeeping thread, if any, is gone.
void ResetHousekeepingInChild();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
