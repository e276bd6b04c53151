// Housekeeping: what the process does as time passes. Below the thread cache,
// which calls it from slow paths.
#ifndef HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
#define HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class PurgeBudget;

// Takes back what threads that wait hold, as far as the budget goes.
using FlushIdle = void (*)(uint64_t now, PurgeBudget* budget);

// Returns free memory that is due at `now` (CoarseMilliseconds) to the OS, when
// the last time was a while ago, and what exceeds the most that may wait. Cheap
// when neither is so. Takes at most some 0.3 ms, for a thread that has little
// to do (`is_quiet`) 1 ms: the rest is left to later calls. `flush_idle` is the
// thread cache's. Thread-safe.
void RunHousekeeping(uint64_t now, bool is_quiet, FlushIdle flush_idle);

// Makes whole chunks of what the parts below keep for later, so that they can
// be had in place of fresh ones. Gives nothing back to the OS that is not due.
void GatherFreeChunks(uint64_t now);

// Returns all free memory to the OS that no thread's bins hold. Returns the
// bytes given back.
size_t CollectEverything();

// In the child of a fork: whatever thread was housekeeping is not there.
void ResetHousekeepingInChild();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
