// The report on random-mixed as one HTML page that needs nothing beside itself:
// charts are inline SVG, colours follow the reader's light or dark setting, and
// nothing is loaded from anywhere.
#ifndef HAKMEM_BENCHMARKS_REPORT_HTML_H_
#define HAKMEM_BENCHMARKS_REPORT_HTML_H_

#include <string>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

std::string HtmlReport(const Results& results, const Judgement& judgement,
                       const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_HTML_H_
