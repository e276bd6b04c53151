// Build variant --//base/os:os_calls=direct: the system's calls as they are.
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "base/os/calls/os_call.h"
#include "base/os/memory_calls.h"

namespace hakmem::os {

// Whether the next call to the operating system is made to fail. Asked before
// each; a constant, so that nothing of the question is left in a release.
inline constexpr bool FailsOnPurpose(Call) { return false; }

// To be told the range of each call that is made: a constant, as above.
inline constexpr void CheckRange(uintptr_t, size_t) {}

inline size_t SystemPageBytes() {
  return static_cast<size_t>(getauxval(AT_PAGESZ));
}

// To be asked before `bytes` at `address`, or, with address 0, anywhere, are
// made usable by mprotect or mremap: whether that goes beyond what a test
// allows. A constant, as above.
inline constexpr bool ExceedsCommitLimit(uintptr_t, size_t) { return false; }

// Whether a test has what the process is charged for counted as where
// vm.overcommit_memory is 2. A constant, as above.
inline constexpr bool CommitIsCounted() { return false; }

inline constexpr int kMapFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

// New memory at `hint` if that is free (0: anywhere), else anywhere. Returns
// its address, or a negated errno when refused.
inline long MapPages(uintptr_t hint, size_t bytes, int protection) {
  return MapPrivate(hint, bytes, protection, kMapFlags);
}

// Puts reserved memory in the place of what is mapped at `address`; likewise.
inline long ReservePages(uintptr_t address, size_t bytes) {
  return MapPrivate(address, bytes, PROT_NONE, kMapFlags | MAP_FIXED);
}

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
