// For workers that are C++: memory that runs out ends them with one line.
//
// std::bad_alloc would not do: the exception itself needs memory, and where
// even what the library sets aside for that at its start was refused, the
// process ends with std::terminate.
#ifndef HAKMEM_BENCHMARKS_WORKER_NEW_FAILURE_H_
#define HAKMEM_BENCHMARKS_WORKER_NEW_FAILURE_H_

#include <new>

#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// To be called first in main.
inline void DieWhenNewFails() {
  std::set_new_handler([] { Die(kAllocatorFailed, "out of memory"); });
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_NEW_FAILURE_H_
