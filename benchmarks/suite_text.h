// The report on a suite of named workloads as a person reads it in a terminal.
#ifndef HAKMEM_BENCHMARKS_SUITE_TEXT_H_
#define HAKMEM_BENCHMARKS_SUITE_TEXT_H_

#include <string>
#include <vector>

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// A table per workload, the fastest first, and what was asked and reached. The
// terminal's abilities do not matter: the text is ASCII.
std::string SuiteTextReport(const Results& results, const Judgement& judgement);

// For the table of one workload, here and in the HTML page:
// its header, and its row of one contender, the name first.
std::vector<std::string> SuiteHeader(const Comparison& comparison);
std::vector<std::string> SuiteRow(const Results& results,
                                  const Comparison& comparison,
                                  size_t contender);

// "CPU time per operation (a block freed and another made), medians of 9 runs".
std::string CaseNote(const Results& results, size_t a_case);

// What the columns mean.
extern const char kSuiteLegend[];

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SUITE_TEXT_H_
