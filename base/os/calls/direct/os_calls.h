// Build variant --//base/os:os_calls=direct: plain system calls.
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "base/os/calls/os_call.h"
#include "base/os/memory_calls.h"

namespace hakmem::os {

// Whether to make the next call to the operating system fail; queried before
// each call. Constant here, so that it compiles to nothing.
inline constexpr bool ShouldInjectFault(Call) { return false; }

// Called with the range of each call. Empty here, as above.
inline constexpr void CheckRange(uintptr_t, size_t) {}

inline size_t SystemPageBytes() {
  return static_cast<size_t>(getauxval(AT_PAGESZ));
}

// Queried before `bytes` at `address` (0: anywhere) are made usable by mprotect
// or mremap: whether that exceeds a test's limit. Constant here, as above.
inline constexpr bool ExceedsCommitLimit(uintptr_t, size_t) { return false; }

// Whether a test counts the commit charge as with vm.overcommit_memory=2.
// Constant here, as above.
inline constexpr bool CommitIsCounted() { return false; }

inline constexpr int kMapFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

// New memory at `hint` if that is free (0: anywhere), else anywhere. Returns
// its address, or a negated errno when refused.
inline long MapPages(uintptr_t hint, size_t bytes, int protection) {
  return MapPrivate(hint, bytes, protection, kMapFlags);
}

// Replaces the mappings at `address` with reserved memory; returns as MapPages.
inline long ReservePages(uintptr_t address, size_t bytes) {
  return MapPrivate(address, bytes, PROT_NONE, kMapFlags | MAP_FIXED);
}

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
