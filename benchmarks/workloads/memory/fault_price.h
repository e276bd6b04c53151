// What a page fault costs on this machine.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_FAULT_PRICE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_FAULT_PRICE_H_

#include <stdint.h>

namespace hakmem::bench {

// Nanoseconds of processor time.
struct FaultPrice {
  uint64_t small = 0;
  uint64_t huge = 0;  // as small where there are no huge pages

  // What the faults of one call cost at most: one of a huge page, and the
  // others of small ones.
  uint64_t Of(uint64_t faults) const {
    return faults == 0 ? 0 : huge + (faults - 1) * small;
  }
};

// Faults in some MiB of fresh memory, and gives them back.
FaultPrice MeasureFaultPrice();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_FAULT_PRICE_H_
