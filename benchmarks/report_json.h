// The report as a JSON document: all samples, what they amount to, and where
// they were taken.
#ifndef HAKMEM_BENCHMARKS_REPORT_JSON_H_
#define HAKMEM_BENCHMARKS_REPORT_JSON_H_

#include "benchmarks/criteria.h"
#include "benchmarks/json.h"
#include "benchmarks/results.h"

namespace hakmem::bench {

Json JsonReport(const Results& results, const Judgement& judgement,
                const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_JSON_H_
