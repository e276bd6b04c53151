// Emergency memory for a thread in which the allocator aborts the process. A
// SIGABRT handler may allocate, to write a report; but the thread may hold
// locks, and metadata may be half changed. So from then on the thread is served
// from separate memory that needs neither.
//
// One mapping, created on first use, from which pieces are cut that are never
// freed: the process is about to end. A piece's size lies before it. Used by
// error_reporting.h, which begins it; by the thread cache, which allocates; by
// the dispatcher, so that pieces can be measured and freed.
#ifndef HAKMEM_BACKEND_ERRORS_EMERGENCY_H_
#define HAKMEM_BACKEND_ERRORS_EMERGENCY_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class Emergency {
 public:
  // Registers `take_over()`, which Begin calls on its thread.
  static void SetBeginCallback(void (*take_over)());

  // Starts emergency mode for the calling thread. Takes no lock.
  static void Begin();

  // Zeroed memory of `bytes`, aligned to `alignment` (a power of two). Null
  // when exhausted. Thread-safe, takes no lock.
  static void* Allocate(size_t bytes, size_t alignment);

  // Usable bytes of the piece at `address`; 0 if there is none. The address
  // must be the start of a piece if it lies in one.
  static size_t BytesAt(uintptr_t address);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ERRORS_EMERGENCY_H_
