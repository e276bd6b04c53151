// How much room a signal handler has: the alternate stack that a program gives
// its handlers may be as small as 2 KiB.
#ifndef HAKMEM_BASE_OS_SIGNAL_STACK_H_
#define HAKMEM_BASE_OS_SIGNAL_STACK_H_

#include <cstddef>

namespace hakmem {

// Bytes left of the alternate signal stack that the caller runs on; SIZE_MAX
// when it runs on none. Async-signal-safe; keeps errno.
size_t SignalStackBytesLeft();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_SIGNAL_STACK_H_
