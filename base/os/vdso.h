// Functions of the vDSO: code that the kernel maps into every process, among it
// the clock. Found here by the kernel's own table, not through the C library,
// whose functions a program may interpose (system_call.h says why that
// matters).
#ifndef HAKMEM_BASE_OS_VDSO_H_
#define HAKMEM_BASE_OS_VDSO_H_

#include <cstdint>

namespace hakmem {

// The address of function `name` in the shared object that is mapped at
// `image`, with its headers; 0 when it defines none. The object must be mapped
// as its file is laid out, as the vDSO is. Allocates nothing.
uintptr_t FindFunctionIn(uintptr_t image, const char* name);

// The same of the vDSO; 0 as well where there is none (emulators, valgrind).
// Keeps errno.
uintptr_t FindInVdso(const char* name);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_VDSO_H_
