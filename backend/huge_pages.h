// Huge pages, as the option huge_pages asks for them.
//
// Advice is all it is: a kernel without huge pages refuses, and nothing is lost
// but what the user hoped for. So the first refusal is remembered, for whoever
// can tell the user (frontend/housekeeping.cc). Thread-safe.
#ifndef HAKMEM_BACKEND_HUGE_PAGES_H_
#define HAKMEM_BACKEND_HUGE_PAGES_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class HugePages {
 public:
  // Asks for huge pages in [address, address+bytes) when the option is on.
  static void AdviseIfAsked(uintptr_t address, size_t bytes);

  struct Refusal {
    int error = 0;     // errno; 0: none
    size_t bytes = 0;  // asked for
  };

  // The first refusal, once.
  static Refusal TakeRefusal();
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_HUGE_PAGES_H_
