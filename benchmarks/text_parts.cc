#include "benchmarks/text_parts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {

std::string VerdictTable(const Results& results, const Judgement& judgement) {
  if (judgement.judged().empty()) return "";
  std::vector<std::vector<std::string>> rows = VerdictRows(results, judgement);
  Table table(std::move(rows[0]));
  for (size_t i = 1; i < rows.size(); ++i) table.AddRow(std::move(rows[i]));
  return table.Render();
}

std::string FailureLines(const Results& results) {
  std::string lines;
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    for (const std::string& failure : results.Failures(i)) {
      absl::StrAppend(&lines, "FAILED: ", results.contenders()[i].name, ": ",
                      failure, "\n");
    }
  }
  return lines;
}

}  // namespace hakmem::bench
