// The report on a suite of named workloads as one HTML page that needs nothing
// beside itself.
#ifndef HAKMEM_BENCHMARKS_SUITE_HTML_H_
#define HAKMEM_BENCHMARKS_SUITE_HTML_H_

#include <string>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// What a page says of its suite.
struct SuitePage {
  std::string title;
  std::string introduction;  // HTML
};

std::string SuiteHtmlReport(const SuitePage& page, const Results& results,
                            const Judgement& judgement, const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SUITE_HTML_H_
