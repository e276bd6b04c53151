// The commit charge of this process as with vm.overcommit_memory=2: the sum of
// the mappings that the kernel marks as accounted ("ac" in /proc/self/smaps).
// So the kernel counts, and only the refusal is simulated (os_calls.cc). Memory
// mapped with MAP_NORESERVE is so marked in mode 2 only.
#ifndef HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_
#define HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::os {

struct CommitCharge {
  uint64_t all = 0;       // bytes
  uint64_t in_range = 0;  // of those in the given range
};

// Allocates nothing; keeps errno. Reads smaps each time.
CommitCharge CommitChargeOf(uintptr_t address, size_t bytes);

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_INJECTED_COMMIT_CHARGE_H_
