// A model's hold on the operating system: whether it refuses memory now and
// then. Two targets provide these functions; the flag --//base/os:os_calls
// chooses.
#ifndef HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_
#define HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_

#include <cstdint>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

class Faults {
 public:
  // Whether this build can make the system's calls fail.
  static bool IsPossible();

  // Makes a few of the calls to come fail, if that is possible.
  static void Arm(ByteSource& source);

  // No more calls fail.
  static void Disarm();

  // Calls made to fail so far.
  static uint64_t Count();
};

// Whether calls were made to fail since it was made.
//
// One that lives as long as its model says whether the kernel's own count of
// resident pages may be compared: where advice against huge pages is refused
// (ChunkSource::BecomeSparse), it is repeated with the next purge only, and the
// kernel may fill holes with huge pages that the books then do not know of.
class FaultWatch {
 public:
  bool Happened() const { return Faults::Count() != before_; }

 private:
  const uint64_t before_ = Faults::Count();
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_FAULTS_H_
