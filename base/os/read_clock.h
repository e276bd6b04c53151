// The kernel's clocks, past whatever interposes the C library's clock_gettime:
// the real time where a tool fakes it, and no call into a function that may
// allocate, which the allocator could not stand with a lock held.
#ifndef HAKMEM_BASE_OS_READ_CLOCK_H_
#define HAKMEM_BASE_OS_READ_CLOCK_H_

#include <ctime>

namespace hakmem {

// What clock_gettime(2) gives for `clock`, by the vDSO where there is one.
// Zeros where a sandbox refuses. Keeps errno.
timespec ReadClock(clockid_t clock);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_READ_CLOCK_H_
