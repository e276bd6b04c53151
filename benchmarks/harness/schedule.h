// Runs the workers: in each repeat every case and in it every contender once,
// starting with another contender each time, so that whatever drifts on the
// machine (clock, temperature, neighbours) meets all alike.
#ifndef HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_
#define HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_

#include <cstdint>
#include <string>

#include "benchmarks/harness/process.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

struct Plan {
  std::string root;  // where the cases' workers lie
  uint64_t repeats;
  uint64_t seconds;  // begin no repeat after; 0: no limit
  // Whether who fails in one case takes no further part in any.
  bool failure_ends;
};

// Exit status of a worker whose workload cannot run on this machine; the first
// line on stderr says why. The case is absent from then on.
inline constexpr int kCannotRunHere = 3;

// Fills `results` until all repeats are done, the time is over or the user
// interrupts; returns how many repeats were begun. Reports progress on
// stderr: one line that is rewritten on a terminal, else a line per repeat.
uint64_t RunAll(const Plan& plan, Interrupt& interrupt, Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_SCHEDULE_H_
