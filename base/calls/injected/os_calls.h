// Build variant --//base:os_calls=injected, for tests: calls to the operating
// system are counted, and any of them can be made to fail (fault_control.h says
// how a test does it).
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include "base/calls/os_call.h"

namespace hakmem::os {

// Counts one call. True when it is to fail without being made; errno then is
// ENOMEM. Takes no lock and allocates nothing.
bool FailsOnPurpose(Call call);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
