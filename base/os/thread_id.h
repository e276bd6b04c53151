// The kernel's ids of threads (gettid(2)), mostly without asking the kernel: a
// sandbox may forbid gettid, getpid and tgkill later, but no C library's own
// allocator can do without futex.
#ifndef HAKMEM_BASE_OS_THREAD_ID_H_
#define HAKMEM_BASE_OS_THREAD_ID_H_

#include <cstdint>

namespace hakmem {

// The calling thread's. From the C library's own record, which is compared with
// the kernel's word at the first call of the process. In a process that was
// made by a system call behind the C library's back, its parent's.
uint32_t ThreadId();

// Whether nothing of the code of `thread`, one of this process, runs any more.
// Only the kernel's plain word counts: false where a sandbox answers with other
// errors, where another process has the id now, and always in a process made
// behind the C library's back, whose other threads are none of its own.
bool ThreadHasEnded(uint32_t thread);

// Whether the C library that this calls began the calling thread, and so will
// end it: run the destructors of its keys. Not so for the threads of a second C
// library in the process, which would take the values of our keys for those of
// its own.
bool IsThreadOfThisLibrary();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_THREAD_ID_H_
