// Housekeeping: decides when free memory goes back to the OS. Runs inside calls
// of malloc and free: the thread cache, a layer above, calls it from slow paths
// (ThreadCache::PollClock).
//
// The rule: every eighth of the decay time (37 ms) each part purges what has
// been free for the decay time (300 ms): slabs, pages inside slabs, spans,
// cached large blocks and chunks. While more than 64 MiB, or half of the memory
// in use if that is more, is free and resident, free chunks are purged whatever
// their age; half of that they may hold whatever the other parts do. When the
// process has grown by a chunk, as many free pages of slabs that are nearly
// empty are purged, whatever their age, while they hold more than 32 MiB. A
// call purges for some 0.3 ms, or 0.5 ms on a thread with few calls; the next
// one, of any thread, continues. One thread at a time does so, while others go
// on (purge_turn.h).
#ifndef HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
#define HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class PurgeBudget;

// Flushes the reserves (thread_cache.h) of idle threads, within the budget.
// Returns whether it flushed any.
using FlushIdle = bool (*)(uint64_t now, PurgeBudget* budget);

// Returns free memory that is due at `now` (CoarseMilliseconds) to the OS, if
// the last time was a while ago, and free memory beyond the maximum. Cheap when
// there is neither. Takes at most 0.15 ms, or 0.4 ms on a thread with few calls
// (`is_quiet`), and one system call, which purges a chunk (some 0.1 ms). The
// rest is left to later calls. `flush_idle` is provided by the thread cache.
// Thread-safe.
void RunHousekeeping(uint64_t now, bool is_quiet, FlushIdle flush_idle);

// Whether slabs that came empty when reserves were flushed may not have been
// returned yet. They do not count as free memory (dirty_bytes.h), so some
// thread must go on looking. Thread-safe; a hint.
bool AwaitsEpochs();

// Assembles whole chunks from memory that the layers below keep for later, for
// use instead of fresh ones. Returns nothing to the OS that is not due.
void FlushCachesToChunks(uint64_t now);

// Returns all free memory outside threads' bins to the OS. Returns the bytes.
// To find what other threads are about to return, call it in a turn to purge.
size_t CollectEverything();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_HOUSEKEEPING_H_
