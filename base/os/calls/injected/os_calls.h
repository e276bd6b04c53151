// Build variant --//base/os:os_calls=injected, for tests: counts calls to the
// operating system, can make any of them fail, limit what is mapped, and
// simulate larger system pages (see fault_control.h).
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include <cstddef>
#include <cstdint>

#include "base/os/calls/os_call.h"

namespace hakmem::os {

// Counts one call. True if it shall fail without being made; errno is then
// ENOMEM. Takes no lock and allocates nothing.
bool ShouldInjectFault(Call call);

// Ends the process with one line unless the range consists of whole pages: the
// kernel would refuse it, or affect more than intended.
void CheckRange(uintptr_t address, size_t bytes);

// The system's page size, or the test's simulated one.
size_t SystemPageBytes();

// As in the direct variant. True with errno ENOMEM.
bool ExceedsCommitLimit(uintptr_t address, size_t bytes);

bool CommitIsCounted();

// As in the direct variant; aligned to SystemPageBytes, within the limits.
long MapPages(uintptr_t hint, size_t bytes, int protection);
long ReservePages(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
