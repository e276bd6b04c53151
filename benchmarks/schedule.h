// Runs the workers: in each repeat every case and in it every contender once,
// starting with another contender each time, so that whatever drifts on the
// machine (clock, temperature, neighbours) meets all alike.
#ifndef HAKMEM_BENCHMARKS_SCHEDULE_H_
#define HAKMEM_BENCHMARKS_SCHEDULE_H_

#include <string>

#include "benchmarks/options.h"
#include "benchmarks/process.h"
#include "benchmarks/results.h"

namespace hakmem::bench {

// Fills `results` until all repeats are done, the time is over or the user
// interrupts; returns how many repeats were begun. Reports progress on
// stderr: one line that is rewritten on a terminal, else a line per repeat.
uint64_t RunAll(const Options& options, const std::string& worker,
                Interrupt& interrupt, Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SCHEDULE_H_
