// The reports of the suites quick and full: for a terminal, as a Markdown file
// and as one HTML page that needs nothing beside itself. All three say the same
// (document.h); the JSON file is in bench_json.h.
#ifndef HAKMEM_BENCHMARKS_BENCH_REPORT_H_
#define HAKMEM_BENCHMARKS_BENCH_REPORT_H_

#include <string>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

// The workloads come first, what they amount to last, where a terminal stops.
std::string BenchText(const Results& results, const Judgement& judgement,
                      bool unicode);

// These begin with what it amounts to.
std::string BenchMarkdown(const Results& results, const Judgement& judgement,
                          const RunInfo& info);
std::string BenchHtml(const Results& results, const Judgement& judgement,
                      const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_REPORT_H_
