// Fork: the locks of the whole allocator, and the handlers that take them.
#ifndef HAKMEM_FRONTEND_PROCESS_FORK_H_
#define HAKMEM_FRONTEND_PROCESS_FORK_H_

namespace hakmem {

// Call once, as early as possible.
void RegisterForkHandlers();

// Takes and releases every lock of the allocator, in the lock order: for fork
// and for heap checks. In between the calling thread may allocate, free, and
// nest these calls (base/sync/lock.h, HoldsEveryLock).
void LockEverything();
void UnlockEverything();

// Whether this process is the child of a fork that may have caught other
// threads inside the allocator.
bool MayHaveLostThreads();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_FORK_H_
