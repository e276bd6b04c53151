// Process start: runs once, before the first thread has a cache.
#ifndef HAKMEM_FRONTEND_PROCESS_BEGIN_H_
#define HAKMEM_FRONTEND_PROCESS_BEGIN_H_

namespace hakmem {

// Registers what the process needs before the first thread's cache: options,
// thread exits, fork. Runs once, at the first call of malloc or when the
// library is loaded, whichever comes first. The thread cache, a lower layer,
// declares this function itself.
void BeginProcess();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_BEGIN_H_
