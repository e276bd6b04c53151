// The address space around large blocks that no access may touch, with
// --//hardening=full. large.cc's own.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_
#define HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_

#include <cstddef>
#include <cstdint>

#include "base/os/os_memory.h"

namespace hakmem::large {

// A block of `size` bytes, zeroed, aligned to `alignment`, and what guards it,
// `alignment` bytes before it and a page behind: no memory, address space
// alone.
os::Mapping MapGuarded(size_t size, size_t alignment);

// Gives back what guards `size` bytes at `address`, if they are guarded.
void ReleaseGuards(uintptr_t address, size_t size, size_t guarded);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_
