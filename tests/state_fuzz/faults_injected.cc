// With fault injection.

#include "base/os/calls/injected/fault_control.h"
#include "tests/state_fuzz/faults.h"

namespace hakmem::fuzz {

bool Faults::IsPossible() { return true; }

void Faults::Arm(ByteSource& source) {
  // Usually one failure: a failure after another is rarer in practice.
  const uint64_t first = source.Between(1, 6);
  const uint64_t count = source.OneIn(3) ? source.Between(2, 12) : 1;
  hakmem_test_fail_os_calls(first, count);
}

void Faults::Disarm() { hakmem_test_fail_os_calls(0, 0); }

uint64_t Faults::Count() { return hakmem_test_failed_os_calls(); }

}  // namespace hakmem::fuzz
