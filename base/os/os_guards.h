// Guard pages for hardened builds: committed pages on which any access faults.
//
// Made by MADV_GUARD_INSTALL (Linux 6.13), which splits no mapping; before that
// by mprotect, which splits one mapping into three per guard, so that
// vm.max_map_count (65530) is reached at some 2 GiB of slabs.
//
// Addresses and sizes are multiples of the system's page. Thread-safe; keep
// errno.
#ifndef HAKMEM_BASE_OS_OS_GUARDS_H_
#define HAKMEM_BASE_OS_OS_GUARDS_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::os {

// Makes every access to the range raise SIGSEGV; its contents are lost. No
// effect if the system refuses, or its pages are larger than the range.
void Guard(uintptr_t address, size_t bytes);

// Makes the whole range usable again, whether guarded or not; guard pages read
// as zeros.
void Unguard(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_OS_GUARDS_H_
