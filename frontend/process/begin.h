// What the process does once, before its first thread has a cache.
#ifndef HAKMEM_FRONTEND_PROCESS_BEGIN_H_
#define HAKMEM_FRONTEND_PROCESS_BEGIN_H_

namespace hakmem {

// Registers what the process needs before the first thread's cache: options,
// thread exits, fork. Does its work once, at the first call of malloc or when
// the library is loaded, whichever comes first. The thread cache, which lies
// below, declares this function for itself.
void BeginProcess();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_BEGIN_H_
