// Without fault injection.

#include "tests/state_fuzz/faults.h"

namespace hakmem::fuzz {

bool Faults::IsPossible() { return false; }
void Faults::Arm(ByteSource&) {}
void Faults::Disarm() {}
uint64_t Faults::Count() { return 0; }

}  // namespace hakmem::fuzz
