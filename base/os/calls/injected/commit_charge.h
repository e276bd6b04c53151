// What the kernel charges this process for, as it does where
// vm.overcommit_memory is 2: mappings that bear its mark of being accounted
// ("ac" in /proc/self/smaps). So it is the kernel that counts, and only the
// refusal that is made up (os_calls.cc). Memory mapped with MAP_NORESERVE bears
// the mark in mode 2 only.
#ifndef HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_
#define HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::os {

struct CommitCharge {
  uint64_t all = 0;       // bytes
  uint64_t in_range = 0;  // of those that were asked about
};

// Allocates nothing; keeps errno. Asks the kernel each time.
CommitCharge CommitChargeOf(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_
