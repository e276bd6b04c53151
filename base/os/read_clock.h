// The kernel's clocks, bypassing an interposed clock_gettime: gives the real
// time even where a tool fakes it, and calls nothing that may allocate, which
// would deadlock with a lock of the allocator held.
#ifndef HAKMEM_BASE_OS_READ_CLOCK_H_
#define HAKMEM_BASE_OS_READ_CLOCK_H_

#include <ctime>

namespace hakmem {

// As clock_gettime(2) for `clock`, by the vDSO if there is one. Zeros if a
// sandbox refuses. Keeps errno.
timespec ReadClock(clockid_t clock);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_READ_CLOCK_H_
