// Runs the workers: in each repeat every case and in it every contender once,
// starting with another contender each time, so that whatever drifts on the
// machine (clock, temperature, neighbours) meets all alike.
#ifndef HAKMEM_BENCHMARKS_SCHEDULE_H_
#define HAKMEM_BENCHMARKS_SCHEDULE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/process.h"
#include "benchmarks/results.h"

namespace hakmem::bench {

struct Plan {
  std::string worker;  // the program
  uint64_t repeats;
  uint64_t seconds;  // begin no repeat after; 0: no limit
  // The worker's arguments in a case, but for --seed and --floor.
  std::function<std::vector<std::string>(const Case& a_case)> arguments;
  // What a run may take at most: so much more than is usual that only an
  // allocator that hangs meets it.
  std::function<std::chrono::milliseconds(const Case& a_case)> limit;
};

// Fills `results` until all repeats are done, the time is over or the user
// interrupts; returns how many repeats were begun. Reports progress on
// stderr: one line that is rewritten on a terminal, else a line per repeat.
uint64_t RunAll(const Plan& plan, Interrupt& interrupt, Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SCHEDULE_H_
