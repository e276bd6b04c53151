// Horizontal bar charts as inline SVG, coloured by CSS classes of the page
// (report_html.cc): `ours`, `peer` and `floor` bars, `whisker` lines.
#ifndef HAKMEM_BENCHMARKS_SVG_CHART_H_
#define HAKMEM_BENCHMARKS_SVG_CHART_H_

#include <string>
#include <string_view>
#include <vector>

namespace hakmem::bench {

// `text` for use in HTML, as content or in a quoted attribute.
std::string EscapeHtml(std::string_view text);

struct SvgBar {
  std::string label;
  std::string css_class;
  double value;
  double low;  // ends of the whisker; equal to `value` for none
  double high;
  int digits;  // of the value, after the point
};

// `title` is read out by screen readers and shown above the bars.
std::string SvgBarChart(std::string_view title, std::string_view note,
                        const std::vector<SvgBar>& bars);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SVG_CHART_H_
