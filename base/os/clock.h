// The clock for decay.
#ifndef HAKMEM_BASE_OS_CLOCK_H_
#define HAKMEM_BASE_OS_CLOCK_H_

#include <cstdint>

namespace hakmem {

// Milliseconds since boot, at the resolution of the kernel's tick (1 to 10 ms).
// Some 5 ns: reads a page mapped by the kernel.
//
// The kernel's clock is monotonic while it runs, but steps backwards for a
// process that is restored elsewhere from a checkpoint or in a virtual machine.
// Then this continues from its last value, at most a second behind. A step
// forwards counts as elapsed time.
uint64_t CoarseMilliseconds();

// Nanoseconds since boot, exact; for differences. Some 25 ns.
uint64_t Nanoseconds();

// The last value of CoarseMilliseconds in any thread: one load. For timestamps
// that may lag by about the time between slow calls.
uint64_t RecentMilliseconds();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_CLOCK_H_
