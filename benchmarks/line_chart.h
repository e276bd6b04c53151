// Line charts: what they show, and how a terminal shows it (a page:
// svg_line_chart.h).
#ifndef HAKMEM_BENCHMARKS_LINE_CHART_H_
#define HAKMEM_BENCHMARKS_LINE_CHART_H_

#include <string>
#include <utility>
#include <vector>

namespace hakmem::bench {

struct Line {
  std::string label;
  bool is_ours;  // HAKMEM's are drawn last, over the others
  std::vector<std::pair<double, double>> points;  // x and y, in order
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x;  // marks each x that a point has; else three of the axis
  std::vector<Line> lines;
};

// One axis of a chart: where on it values lie.
class Axis {
 public:
  // From 0 to `high`, or, `logarithmic`, from `low`, which is positive.
  Axis(double low, double high, bool logarithmic);

  double low() const { return low_; }
  double high() const { return high_; }
  // 0 at the low end, 1 at the high end.
  double Position(double value) const;
  // Values to mark: both ends and what lies halfway.
  std::vector<double> Marks() const;

 private:
  double low_;
  double high_;
  bool logarithmic_;
};

// The axes that hold all points of all lines. That of y is logarithmic where
// lines would else lie flat on the ground.
Axis AxisX(const LineChart& chart);
Axis AxisY(const LineChart& chart);
// Values of x to mark.
std::vector<double> MarksX(const LineChart& chart);

// "256", "64 Ki", "3.5": short, for marks on axes.
std::string AxisText(double value);

// Points as a letter per line, and dots between them. Plain ASCII unless
// `unicode`. Empty when no line has a point.
std::string TextLineChart(const LineChart& chart, bool unicode);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_LINE_CHART_H_
