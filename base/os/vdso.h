// Functions of the vDSO: code that the kernel maps into every process, such as
// the clock. Looked up in the kernel's own table, not through the C library,
// whose functions a program may interpose (see system_call.h).
#ifndef HAKMEM_BASE_OS_VDSO_H_
#define HAKMEM_BASE_OS_VDSO_H_

#include <cstdint>

namespace hakmem {

// The address of function `name` in the shared object mapped at `image`,
// headers included; 0 if it defines none. The object must be mapped as its file
// is laid out, as the vDSO is. Allocates nothing.
uintptr_t FindFunctionIn(uintptr_t image, const char* name);

// The same for the vDSO; also 0 where there is none (emulators, valgrind).
// Keeps errno.
uintptr_t FindInVdso(const char* name);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_VDSO_H_
