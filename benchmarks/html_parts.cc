#include "benchmarks/html_parts.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/page_text.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {

std::string PageHead(const std::string& title) {
  return absl::StrCat(kPageStart, EscapeHtml(title), kPageStyle);
}

const char* CssClass(Contender::Kind kind) {
  switch (kind) {
    case Contender::kFloor:
      return "floor";
    case Contender::kVariant:
      return "ours";
    case Contender::kGlibc:
    case Contender::kPeer:
      return "peer";
  }
  return "";
}

HtmlTable::HtmlTable(const std::vector<std::string>& header) {
  html_ = "<div class=\"scroll\"><table>\n<tr>";
  for (const std::string& name : header) {
    absl::StrAppend(&html_, "<th>", EscapeHtml(name), "</th>");
  }
  html_ += "</tr>\n";
}

void HtmlTable::AddRow(const std::string& css_class,
                       const std::vector<HtmlCell>& cells) {
  absl::StrAppend(&html_, "<tr class=\"", css_class, "\">");
  for (const HtmlCell& cell : cells) {
    absl::StrAppend(&html_, "<td class=\"", cell.css_class, "\">",
                    EscapeHtml(cell.text), "</td>");
  }
  html_ += "</tr>\n";
}

std::string VerdictSection(const Results& results, const Judgement& judgement) {
  if (judgement.judged().empty()) return "";
  std::vector<std::vector<std::string>> rows = VerdictRows(results, judgement);
  rows[0][0].clear();  // the heading says it
  HtmlTable table(rows[0]);
  for (size_t i = 1; i < rows.size(); ++i) {
    std::vector<HtmlCell> cells;
    for (const std::string& text : rows[i]) {
      const bool is_criterion = cells.empty();
      cells.push_back({text, is_criterion                   ? ""
                             : absl::EndsWith(text, " yes") ? "yes"
                             : absl::EndsWith(text, " no")  ? "no"
                                                            : ""});
    }
    table.AddRow("", cells);
  }
  return "<h2>Asked and reached</h2>\n<p>What the project set out to reach, "
         "and "
         "what this run measured.</p>\n" +
         table.Render();
}

std::string ProvenanceSection(const Results& results, const RunInfo& info) {
  std::string html = "<h2>Where this was measured</h2>\n<dl>\n";
  const auto add = [&](const std::string& label, const std::string& value) {
    absl::StrAppend(&html, "<dt>", EscapeHtml(label), "</dt><dd>",
                    EscapeHtml(value), "</dd>\n");
  };
  for (const auto& [label, value] : info.machine) add(label, value);
  add("command", info.command);
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    const Contender& contender = results.contenders()[i];
    std::string text = contender.version;
    for (const std::string& failure : results.Failures(i)) {
      absl::StrAppend(&text, ", FAILED: ", failure);
    }
    add(contender.name, text);
  }
  for (const std::string& line : info.absent) add("not here", line);
  return html + "</dl>\n";
}

}  // namespace hakmem::bench
