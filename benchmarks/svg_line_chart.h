// Line charts as inline SVG. Lines take the page's colours c0, c1, ...
// (page_text.h) in their order; HAKMEM's are thicker.
#ifndef HAKMEM_BENCHMARKS_SVG_LINE_CHART_H_
#define HAKMEM_BENCHMARKS_SVG_LINE_CHART_H_

#include <string>

#include "benchmarks/line_chart.h"

namespace hakmem::bench {

// Empty when no line has a point.
std::string SvgLineChart(const LineChart& chart);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_SVG_LINE_CHART_H_
