// Kernel thread ids (gettid(2)), mostly without a system call: a sandbox may
// forbid gettid, getpid and tgkill later, whereas no C library's own allocator
// works without futex.
#ifndef HAKMEM_BASE_OS_THREAD_ID_H_
#define HAKMEM_BASE_OS_THREAD_ID_H_

#include <cstdint>

namespace hakmem {

// The calling thread's id. From the C library's record, which the first call of
// the process verifies with the kernel. In a process created by a raw system
// call, unknown to the C library, this is the parent's id.
uint32_t ThreadId();

// Whether `thread`, of this process, has ended and none of its code runs any
// more. True only on the kernel's definite answer: false where a sandbox
// returns other errors, where another process has the id now, and always in a
// process created without the C library, whose other threads it does not have.
bool ThreadHasEnded(uint32_t thread);

// Whether the C library linked here started the calling thread, and so will run
// its key destructors at the end. False for threads of a second C library in
// the process, which would mistake values of our keys for those of its own.
bool IsThreadOfThisLibrary();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_THREAD_ID_H_
