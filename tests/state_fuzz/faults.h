// Fault injection for models: makes the operating system refuse memory now and
// then. Two targets provide these functions; the flag --//base/os:os_calls
// chooses.
#ifndef HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_
#define HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_

#include <cstdint>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

class Faults {
 public:
  // Whether this build can make system calls fail.
  static bool IsPossible();

  // Makes a few of the next calls fail, if possible.
  static void Arm(ByteSource& source);

  // Stops the failures.
  static void Disarm();

  // Number of calls made to fail so far.
  static uint64_t Count();
};

// Whether calls were made to fail since its construction.
//
// A FaultWatch that lives as long as its model tells whether the kernel's count
// of resident pages may be compared: refused advice against huge pages
// (ChunkSource::BecomeSparse) is repeated only with the next purge, and until
// then the kernel may fill holes with huge pages that the metadata miss.
class FaultWatch {
 public:
  bool Happened() const { return Faults::Count() != before_; }

 private:
  const uint64_t before_ = Faults::Count();
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_
