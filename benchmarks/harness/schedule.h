// Runs the workers: in each repeat every case and in it every allocator once,
// starting with another allocator each time, so that whatever drifts on the
// machine (clock, temperature, neighbours) meets all alike.
#ifndef HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_
#define HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_

#include <cstdint>
#include <string>

#include "benchmarks/harness/process.h"
#include "benchmarks/harness/sample.h"

namespace hakmem::bench {

struct Plan {
  std::string root;  // where the cases' workers lie
  uint64_t repeats;
  uint64_t seconds;  // begin no repeat after; 0: no limit
};

// Exit status of a worker whose workload cannot run on this machine; the first
// line on stderr says why. The case is absent from then on.
inline constexpr int kCannotRunHere = 3;

// Adds samples until all repeats are done, the time is over or the user
// interrupts; returns how many repeats were begun. An allocator that fails in a
// case takes no further part in that case. Reports progress and the time left
// on stderr: one line that is rewritten on a terminal, else a line per repeat.
uint64_t RunAll(const Plan& plan, Interrupt& interrupt,
                Measurements& measurements);

// "1 min 20 s"
std::string DurationText(double seconds);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_
