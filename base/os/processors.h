// How many processors this process may run on.
#ifndef HAKMEM_BASE_OS_PROCESSORS_H_
#define HAKMEM_BASE_OS_PROCESSORS_H_

#include <cstdint>

namespace hakmem {

// As read when the library was loaded, at least 1; 1 before. Thread-safe.
uint32_t Processors();

// Asks the kernel. To be called when the library is loaded: a sandbox may
// forbid it later. Keeps errno.
void ReadProcessors();

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_PROCESSORS_H_
