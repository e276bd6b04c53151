// Memory for the last moments of a thread that the allocator ends the process
// from. A handler of SIGABRT may allocate, to write a report; but the thread
// may hold locks, and books may be half changed. So from then on the thread is
// served from memory of its own, which needs neither locks nor books.
//
// One mapping, made when it is needed first, from which pieces are cut and
// never taken back: the process is about to end. Its size is before each piece.
// Used by error_reporting.h, which begins it; by the thread cache, which
// allocates; by SpanSource, so that whoever is handed a piece may measure and
// free it.
#ifndef HAKMEM_BACKEND_ERRORS_EMERGENCY_H_
#define HAKMEM_BACKEND_ERRORS_EMERGENCY_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class Emergency {
 public:
  // Has `take_over()` called, by the thread in need, when it begins.
  static void WhenBegun(void (*take_over)());

  // Begins it for the calling thread. Takes no lock.
  static void Begin();

  // `bytes` of zeros, aligned to `alignment`, a power of two. Null when there
  // is no more. Thread-safe, takes no lock.
  static void* Allocate(size_t bytes, size_t alignment);

  // Usable bytes of the piece at `address`; 0 when it is none. The address must
  // start a piece if it lies in one.
  static size_t BytesAt(uintptr_t address);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ERRORS_EMERGENCY_H_
