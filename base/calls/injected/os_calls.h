// Build variant --//base:os_calls=injected, for tests: calls to the operating
// system are counted, and the n-th can be made to fail.
#ifndef HAKMEM_BASE_OS_CALLS_H_
#define HAKMEM_BASE_OS_CALLS_H_

namespace hakmem::os {

// Counts one call; true when it is to fail, with ENOMEM, without being made.
bool FailsOnPurpose();

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_H_
