// The clock that decay goes by.
#ifndef HAKMEM_BASE_CLOCK_H_
#define HAKMEM_BASE_CLOCK_H_

#include <cstdint>

namespace hakmem {

// Milliseconds since boot, at the resolution of the kernel's tick (1 to 10 ms);
// never goes backwards. Some 5 ns: it reads a page the kernel maps.
uint64_t CoarseMilliseconds();

// Nanoseconds since boot, exact; for differences. Some 25 ns.
uint64_t Nanoseconds();

// What CoarseMilliseconds last returned to anyone: one load. For stamps that
// may lag, by no more than the slow calls of a thread or two take.
uint64_t RecentMilliseconds();

}  // namespace hakmem

#endif  // HAKMEM_BASE_CLOCK_H_
