// The clock that decay goes by.
#ifndef HAKMEM_BASE_OS_CLOCK_H_
#define HAKMEM_BASE_OS_CLOCK_H_

#include <cstdint>

namespace hakmem {

// Milliseconds since boot, at the resolution of the kernel's tick (1 to 10 ms).
// Some 5 ns: it reads a page the kernel maps.
//
// The kernel's clock never goes backwards while it runs. It does for a process
// that is frozen and goes on elsewhere, from a checkpoint or as part of a
// virtual machine that is restored: then this goes on from where it was, a
// second behind at most. A step forwards is time like any other.
uint64_t CoarseMilliseconds();

// Nanoseconds since boot, exact; for differences. Some 25 ns.
uint64_t Nanoseconds();

// What CoarseMilliseconds last returned to anyone: one load. For stamps that
// may lag, by no more than the slow calls of a thread or two take.
uint64_t RecentMilliseconds();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_CLOCK_H_
