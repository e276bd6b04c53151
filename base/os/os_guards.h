// Guards: pages of usable memory that no access may touch, for hardened builds.
//
// By MADV_GUARD_INSTALL (Linux 6.13), which splits no mapping; elsewhere by
// mprotect, which makes two mappings of one for each guard, so that
// vm.max_map_count (65530) ends what guards some 2 GiB of slabs.
//
// Addresses and sizes are multiples of the system's page. Thread-safe; keep
// errno.
#ifndef HAKMEM_BASE_OS_OS_GUARDS_H_
#define HAKMEM_BASE_OS_OS_GUARDS_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::os {

// From now on an access to the range is SIGSEGV; what it held is lost. Nothing
// happens where the system refuses, or has larger pages than the range.
void Guard(uintptr_t address, size_t bytes);

// Makes the whole range usable again, guards or not; guards' pages read as
// zeros.
void Unguard(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_OS_GUARDS_H_
