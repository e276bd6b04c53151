#include "benchmarks/suite_html.h"

#include "absl/strings/str_cat.h"
#include "benchmarks/analysis/comparison.h"
#include "benchmarks/case_columns.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/suite_text.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {
namespace {

std::string CaseSection(const Results& results, size_t a_case) {
  const Comparison comparison(results, a_case);
  const TimeUnit unit = UnitFor(comparison);
  const auto bar = [&](size_t who, const Spread& spread, double scale) {
    const Contender& contender = results.contenders()[who];
    return SvgBar{contender.name,        CssClass(contender.kind),
                  spread.median / scale, spread.low / scale,
                  spread.high / scale,   2};
  };
  std::vector<SvgBar> times;
  std::vector<SvgBar> peaks;
  HtmlTable table(SuiteHeader(comparison));
  for (const size_t who : comparison.Ranking()) {
    const Summary& summary = *comparison.summary(who);
    times.push_back(bar(who, summary.ns, unit.nanoseconds));
    peaks.push_back(bar(who, summary.peak_rss_kib, 1024));
    std::vector<HtmlCell> cells;
    for (const std::string& text : SuiteRow(results, comparison, who)) {
      cells.push_back({text});
    }
    table.AddRow(CssClass(results.contenders()[who].kind), cells);
  }
  return absl::StrCat(
      "<h2>", EscapeHtml(results.cases()[a_case].Name()),
      "</h2>\n<p class=\"soft\">", EscapeHtml(CaseNote(results, a_case)),
      ".</p>\n<div class=\"charts\">\n",
      SvgBarChart("Time per operation",
                  absl::StrCat(unit.name, ", lower is better"), times),
      SvgBarChart("Peak resident memory", "MiB, lower is better", peaks),
      "</div>\n", table.Render());
}

}  // namespace

std::string SuiteHtmlReport(const SuitePage& page, const Results& results,
                            const Judgement& judgement, const RunInfo& info) {
  std::string html = absl::StrCat(
      PageHead(absl::StrCat("HAKMEM: ", info.suite)), "<h1>",
      EscapeHtml(page.title), "</h1>\n", page.introduction, "<p>",
      EscapeHtml(kSuiteLegend), "</p>\n", VerdictSection(results, judgement));
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (Comparison(results, c).repeats() != 0) html += CaseSection(results, c);
  }
  return absl::StrCat(html, ProvenanceSection(results, info), kPageEnd);
}

}  // namespace hakmem::bench
