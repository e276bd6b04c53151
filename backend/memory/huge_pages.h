// Advises the kernel about huge pages, according to the option huge_pages.
//
// Huge pages save TLB misses and page faults, but make 2 MiB resident where the
// program may need little of it. So they are requested where memory is known to
// be used densely, or everywhere if the user says so.
//
// This is only advice: a kernel without huge pages refuses, and nothing else
// changes. The first refusal of what the user asked for is kept until it is
// reported (frontend/process/housekeeping.cc). Thread-safe.
#ifndef HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_
#define HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class HugePages {
 public:
  // Requests huge pages in [address, address+bytes) if they are wanted
  // everywhere.
  static void AdviseIfAsked(uintptr_t address, size_t bytes);

  // For memory that may be used sparsely: does the same, or else asks the
  // kernel not to use huge pages here even if it does by default. Call it once
  // per kernel mapping.
  static void AdviseFresh(uintptr_t address, size_t bytes);

  // Whether AdviseDense may request any.
  static bool AreWantedWhereDense();

  // Requests huge pages in memory known to be used densely, if the option
  // allows. Returns false if it doesn't or the kernel refuses.
  static bool AdviseDense(uintptr_t address, size_t bytes);

  // Withdraws the request: the memory will be used sparsely. False when the
  // kernel refuses because that needs another mapping; the request then stands.
  static bool AdviseSparse(uintptr_t address, size_t bytes);

  struct Refusal {
    int error = 0;     // errno; 0: none
    size_t bytes = 0;  // requested
  };

  // Returns the first refusal, once.
  static Refusal TakeRefusal();
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_HUGE_PAGES_H_
