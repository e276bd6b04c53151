// What the reports for a terminal have in common.
#ifndef HAKMEM_BENCHMARKS_TEXT_PARTS_H_
#define HAKMEM_BENCHMARKS_TEXT_PARTS_H_

#include <string>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// What was asked and what was reached; empty when nobody was judged.
std::string VerdictTable(const Results& results, const Judgement& judgement);

// A line for each contender that failed.
std::string FailureLines(const Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_TEXT_PARTS_H_
