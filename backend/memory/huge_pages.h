// Huge pages, as the option huge_pages asks for them.
//
// They save TLB misses and page faults, and make all of 2 MiB resident where
// the program may want little of it. So they are asked for where memory is
// known to be used densely, or everywhere, when the user says so.
//
// Advice is all it is: a kernel without huge pages refuses, and nothing is lost
// but what was hoped for. The first refusal of what the user asked for is
// remembered, for whoever can tell (frontend/process/housekeeping.cc).
// Thread-safe.
#ifndef HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_
#define HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class HugePages {
 public:
  // Asks for huge pages in [address, address+bytes) when they are wanted
  // everywhere.
  static void AdviseIfAsked(uintptr_t address, size_t bytes);

  // For memory that may be used sparsely: the same, or else asks the kernel to
  // make no huge pages here even where it makes them everywhere. To be called
  // once for what becomes one kernel mapping.
  static void AdviseFresh(uintptr_t address, size_t bytes);

  // Whether AdviseDense may ask for any.
  static bool AreWantedWhereDense();

  // Asks for huge pages in memory that is known to be used densely, unless they
  // are not wanted there, or the kernel has none. Returns whether it did.
  static bool AdviseDense(uintptr_t address, size_t bytes);

  // Takes that back: the memory will be used sparsely. False when the kernel,
  // for want of another mapping, goes on as before.
  static bool AdviseSparse(uintptr_t address, size_t bytes);

  struct Refusal {
    int error = 0;     // errno; 0: none
    size_t bytes = 0;  // asked for
  };

  // The first refusal, once.
  static Refusal TakeRefusal();
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_
