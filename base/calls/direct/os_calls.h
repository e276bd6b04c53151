// Build variant --//base:os_calls=direct: the system's calls as they are.
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

#include "base/calls/os_call.h"

namespace hakmem::os {

// Whether the next call to the operating system is made to fail. Asked before
// each; a constant, so that nothing of the question is left in a release.
inline constexpr bool FailsOnPurpose(Call) { return false; }

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
