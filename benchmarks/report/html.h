// The result as one HTML page that needs nothing beside itself: a template
// (page/report.html, embedded in this program) with result.json in it.
#ifndef HAKMEM_BENCHMARKS_REPORT_HTML_H_
#define HAKMEM_BENCHMARKS_REPORT_HTML_H_

#include <string>

namespace hakmem::bench {

// The page of a result.json, given as text.
std::string HtmlReport(const std::string& result_json);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_HTML_H_
