// The report on random-mixed as a person reads it in a terminal.
#ifndef HAKMEM_BENCHMARKS_REPORT_TEXT_H_
#define HAKMEM_BENCHMARKS_REPORT_TEXT_H_

#include <string>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// Tables, counters, charts and verdicts. `unicode`: the terminal shows UTF-8.
std::string TextReport(const Results& results, const Judgement& judgement,
                       bool unicode);

// Why cache and TLB misses are missing, in the kernel's words; empty when they
// are not.
std::string PerfRefusal(const Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_TEXT_H_
