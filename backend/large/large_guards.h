// Inaccessible address space around large blocks, with --//hardening=full.
// Internal to large.cc.
#ifndef HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_
#define HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_

#include <cstddef>
#include <cstdint>

#include "base/os/os_memory.h"

namespace hakmem::large {

// Maps a zeroed block of `size` bytes, aligned to `alignment`, and its guards:
// `alignment` bytes before it and a page after it, which take address space but
// no memory.
os::Mapping MapGuarded(size_t size, size_t alignment);

// Unmaps the guards of `size` bytes at `address`, if there are any.
void ReleaseGuards(uintptr_t address, size_t size, size_t guarded);

}  // namespace hakmem::large

#endif  // HAKMEM_BACKEND_LARGE_LARGE_GUARDS_H_
