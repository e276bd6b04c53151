// Build variant --//base/os:os_calls=injected, for tests: calls to the
// operating system are counted, any of them can be made to fail, limits can be
// put on what is mapped, and the system's pages can be made to look larger than
// they are (fault_control.h says how a test does it).
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include <cstddef>
#include <cstdint>

#include "base/os/calls/os_call.h"

namespace hakmem::os {

// Counts one call. True when it is to fail without being made; errno then is
// ENOMEM. Takes no lock and allocates nothing.
bool FailsOnPurpose(Call call);

// Ends the process with one line when the range is not of whole pages: the
// kernel would refuse it, or take more than was meant.
void CheckRange(uintptr_t address, size_t bytes);

// The system's page size, or what the test says it is.
size_t SystemPageBytes();

// As in the direct variant. True with errno ENOMEM.
bool ExceedsCommitLimit(uintptr_t address, size_t bytes);

bool CommitIsCounted();

// As in the direct variant; aligned to SystemPageBytes, within the limits.
long MapPages(uintptr_t hint, size_t bytes, int protection);
long ReservePages(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
