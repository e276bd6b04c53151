#include "benchmarks/suite_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/case_columns.h"
#include "benchmarks/report/table.h"
#include "benchmarks/text_parts.h"

namespace hakmem::bench {
namespace {

std::optional<double> Inverse(std::optional<double> ratio) {
  return ratio.has_value() ? std::optional(1 / *ratio) : std::nullopt;
}

std::string CaseTable(const Results& results, size_t a_case) {
  const Comparison comparison(results, a_case);
  Table table(SuiteHeader(comparison));
  for (const size_t who : comparison.Ranking()) {
    table.AddRow(SuiteRow(results, comparison, who));
  }
  return absl::StrCat(results.cases()[a_case].Name(), ": ",
                      CaseNote(results, a_case), "\n\n", table.Render());
}

}  // namespace

const char kSuiteLegend[] =
    "time x best: time over that of the fastest allocator that is not "
    "HAKMEM's.\nRSS x lean: peak resident memory over the lowest among the "
    "three fastest of this allocator\nand all that are not HAKMEM's. waste: "
    "bytes usable over bytes asked for, less 1. before, after:\nresident "
    "memory before the work and at its end, when only the live bytes were "
    "held.\n";

std::vector<std::string> SuiteHeader(const Comparison& comparison) {
  std::vector<std::string> header = {
      "",
      absl::StrCat(UnitFor(comparison).name, "/op"),
      "[quartiles]",
      "time x best",
      "peak RSS",
      "RSS x lean",
      "faults"};
  for (const ExtraColumn* const column : ExtraColumns(comparison)) {
    header.push_back(column->title);
  }
  return header;
}

std::vector<std::string> SuiteRow(const Results& results,
                                  const Comparison& comparison,
                                  size_t contender) {
  const Summary& summary = *comparison.summary(contender);
  const double unit = UnitFor(comparison).nanoseconds;
  std::vector<std::string> row = {
      results.contenders()[contender].name,
      absl::StrFormat("%.2f", summary.ns.median / unit),
      absl::StrFormat("[%.2f..%.2f]", summary.ns.low / unit,
                      summary.ns.high / unit),
      Cell(Inverse(comparison.AgainstBestPeer(contender)), 2),
      Mebibytes(summary.peak_rss_kib.median),
      Cell(comparison.PeakAgainstLeanest(contender), 2),
      Cell(summary.minor_faults, 0)};
  for (const ExtraColumn* const column : ExtraColumns(comparison)) {
    row.push_back(column->show(summary.*column->member));
  }
  return row;
}

std::string CaseNote(const Results& results, size_t a_case) {
  const Case& where = results.cases()[a_case];
  return absl::StrFormat("%s time per operation (%s), medians of %d runs",
                         where.by_cpu_time() ? "CPU" : "wall", where.operation,
                         Comparison(results, a_case).repeats());
}

std::string SuiteTextReport(const Results& results,
                            const Judgement& judgement) {
  std::vector<std::string> parts;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (Comparison(results, c).repeats() == 0) continue;
    parts.push_back(CaseTable(results, c));
  }
  if (parts.empty()) {
    parts.push_back("Nothing was measured.\n");
  } else {
    parts.push_back(kSuiteLegend);
    parts.push_back(VerdictTable(results, judgement));
  }
  parts.push_back(FailureLines(results));
  std::erase(parts, "");
  return absl::StrJoin(parts, "\n");
}

}  // namespace hakmem::bench
