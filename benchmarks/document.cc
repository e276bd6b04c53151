#include "benchmarks/document.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/report/table.h"
#include "benchmarks/svg_line_chart.h"

namespace hakmem::bench {
namespace {

constexpr size_t kTextWidth = 98;

// `text` in lines that a terminal shows whole.
std::string Wrap(const std::string& text) {
  std::string out;
  size_t column = 0;
  for (const std::string_view word : absl::StrSplit(text, ' ')) {
    const bool fits = column + 1 + word.size() <= kTextWidth;
    if (column != 0) out += fits ? ' ' : '\n';
    column = (column != 0 && fits ? column + 1 : 0) + word.size();
    absl::StrAppend(&out, word);
  }
  return out + "\n";
}

// Nothing in a cell may end it or begin something else.
std::string MarkdownCell(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"},
                                    {"<", "&lt;"},
                                    {"*", "\\*"},
                                    {"_", "\\_"},
                                    {"`", "\\`"},
                                    {"\n", " "}});
}

std::string MarkdownLine(const std::vector<std::string>& cells) {
  return absl::StrCat(
      "| ",
      absl::StrJoin(cells, " | ",
                    [](std::string* out, const std::string& cell) {
                      absl::StrAppend(out, MarkdownCell(cell));
                    }),
      " |\n");
}

std::string MarkdownTable(const Section& section) {
  std::string out = MarkdownLine(section.header);
  out += "|:--";
  for (size_t i = 1; i < section.header.size(); ++i) out += "|--:";
  out += "|\n";
  for (const Row& row : section.rows) out += MarkdownLine(row.cells);
  return out;
}

std::string HtmlRows(const Section& section) {
  HtmlTable table(section.header);
  for (const Row& row : section.rows) {
    std::vector<HtmlCell> cells;
    for (const std::string& text : row.cells) {
      // The first says what was asked, not what was reached.
      const bool is_name = cells.empty();
      cells.push_back({text, is_name                        ? ""
                             : absl::EndsWith(text, " yes") ? "yes"
                             : absl::EndsWith(text, " no")  ? "no"
                                                            : ""});
    }
    table.AddRow(row.css_class, cells);
  }
  return table.Render();
}

}  // namespace

std::string SectionsText(const std::vector<Section>& sections, bool unicode) {
  std::vector<std::string> parts;
  for (const Section& section : sections) {
    std::string part = section.title + "\n";
    if (!section.text.empty()) part += Wrap(section.text);
    for (const LineChart& chart : section.curves) {
      absl::StrAppend(&part, "\n", TextLineChart(chart, unicode));
    }
    if (!section.header.empty()) {
      Table table(section.header);
      for (const Row& row : section.rows) table.AddRow(row.cells);
      absl::StrAppend(&part, "\n", table.Render());
    }
    parts.push_back(std::move(part));
  }
  return absl::StrJoin(parts, "\n");
}

std::string SectionsMarkdown(const std::vector<Section>& sections) {
  std::string out;
  for (const Section& section : sections) {
    // A section of which only charts would be left says nothing here.
    if (section.header.empty() && !section.curves.empty()) continue;
    absl::StrAppend(&out, "## ", MarkdownCell(section.title), "\n\n");
    if (!section.text.empty()) {
      absl::StrAppend(&out, MarkdownCell(section.text), "\n\n");
    }
    if (!section.header.empty()) {
      absl::StrAppend(&out, MarkdownTable(section), "\n");
    }
  }
  return out;
}

std::string SectionsHtml(const std::vector<Section>& sections) {
  std::string out;
  for (const Section& section : sections) {
    absl::StrAppend(&out, "<h2>", EscapeHtml(section.title), "</h2>\n");
    if (!section.text.empty()) {
      absl::StrAppend(&out, "<p class=\"soft\">", EscapeHtml(section.text),
                      "</p>\n");
    }
    if (!section.curves.empty() || !section.bars.empty()) {
      out += "<div class=\"charts\">\n";
      for (const LineChart& chart : section.curves) out += SvgLineChart(chart);
      for (const BarChart& chart : section.bars) {
        out += SvgBarChart(chart.title, chart.note, chart.bars);
      }
      out += "</div>\n";
    }
    if (!section.header.empty()) out += HtmlRows(section);
  }
  return out;
}

}  // namespace hakmem::bench
