// Housekeeping: what the process does once, and what it does as time passes.
#ifndef HAKMEM_FRONTEND_HOUSEKEEPING_H_
#define HAKMEM_FRONTEND_HOUSEKEEPING_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

// Before the first thread's cache: options, thread exits, fork. Does its work
// once; `on_thread_exit` is told of the caches of threads that end.
void BeginProcess(void (*on_thread_exit)(void* cache));

// Takes and releases every lock of the allocator, in the lock order: for fork
// and for heap checks.
void LockEverything();
void UnlockEverything();

// Whether this process is the child of a fork that may have caught other
// threads midway in the allocator.
bool MayHaveLostThreads();

// Returns free memory that is due at `now` (CoarseMilliseconds) to the OS, when
// the last time was a while ago, and what exceeds the most that may wait. Cheap
// when neither is so. Takes at most some 0.3 ms, for a thread that has little
// to do (`is_quiet`) 1 ms: the rest is left to later calls. Thread-safe.
void RunHousekeeping(uint64_t now, bool is_quiet);

// Makes whole chunks of what the parts below keep for later, so that they can
// be had in place of fresh ones. Gives nothing back to the OS that is not due.
void GatherFreeChunks(uint64_t now);

// Returns all free memory to the OS that no thread's bins hold. Returns the
// bytes given back.
size_t CollectEverything();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_HOUSEKEEPING_H_
