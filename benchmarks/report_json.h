// The report as a JSON document: all samples, what they amount to, and where
// they were taken.
#ifndef HAKMEM_BENCHMARKS_REPORT_JSON_H_
#define HAKMEM_BENCHMARKS_REPORT_JSON_H_

#include <optional>
#include <string>
#include <string_view>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"
#include "benchmarks/harness/json.h"

namespace hakmem::bench {

Json JsonReport(const Results& results, const Judgement& judgement,
                const RunInfo& info);

// Parts that other documents share: all members up to the cases, and those
// after them.
Json ReportHead(const Results& results, const RunInfo& info);
Json CriteriaJson(const Results& results, const Judgement& judgement);

// What a contender's kind is called there, and back; nothing for other texts.
const char* KindText(Contender::Kind kind);
std::optional<Contender::Kind> KindFromText(std::string_view text);

// The same as the text of a file.
std::string JsonText(const Results& results, const Judgement& judgement,
                     const RunInfo& info);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_JSON_H_
