// A report as a list of sections, each a heading, some text, a table and
// charts, and how it becomes text for a terminal, Markdown, or HTML: so that
// all three say the same.
#ifndef HAKMEM_BENCHMARKS_DOCUMENT_H_
#define HAKMEM_BENCHMARKS_DOCUMENT_H_

#include <string>
#include <vector>

#include "benchmarks/line_chart.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {

struct Row {
  std::vector<std::string> cells;  // the first is a name
  std::string css_class = {};      // "ours", "peer" or "floor"; pages only
};

struct BarChart {
  std::string title;
  std::string note;
  std::vector<SvgBar> bars;
};

struct Section {
  std::string title;
  std::string text = {};                 // a paragraph
  std::vector<std::string> header = {};  // of the table; empty: there is none
  std::vector<Row> rows = {};
  std::vector<LineChart> curves = {};  // not in Markdown
  std::vector<BarChart> bars = {};     // pages only
};

std::string SectionsText(const std::vector<Section>& sections, bool unicode);
// Headings of the second level.
std::string SectionsMarkdown(const std::vector<Section>& sections);
// What stands between the head and the end of a page. Cells that end in " yes"
// or " no" are marked.
std::string SectionsHtml(const std::vector<Section>& sections);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_DOCUMENT_H_
