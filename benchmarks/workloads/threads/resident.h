// Resident memory against what is live, early in a workload and at its end.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RESIDENT_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RESIDENT_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// The work done before the early reading is one part in so many: by then what
// an allocator sets up once is there.
inline constexpr uint64_t kEarly = 10;

struct Reading {
  uint64_t resident_kib = 0;
  size_t live_bytes = 0;
};

inline Reading ReadResident(size_t live_bytes) {
  return {ResidentKib(), live_bytes};
}

inline void ReportResident(Run& run, const Reading& early,
                           const Reading& late) {
  run.Report("resident_before_kib", static_cast<double>(early.resident_kib));
  run.Report("resident_after_kib", static_cast<double>(late.resident_kib));
  run.Report("live_after_kib", static_cast<double>(late.live_bytes) / 1024);
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RESIDENT_H_
