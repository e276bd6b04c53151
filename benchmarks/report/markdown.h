// The result as a Markdown file: all that the terminal shows and every table.
#ifndef HAKMEM_BENCHMARKS_REPORT_MARKDOWN_H_
#define HAKMEM_BENCHMARKS_REPORT_MARKDOWN_H_

#include <string>

#include "nlohmann/json_fwd.hpp"

namespace hakmem::bench {

std::string MarkdownReport(const nlohmann::ordered_json& result);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_MARKDOWN_H_
