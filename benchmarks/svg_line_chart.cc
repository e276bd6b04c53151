#include "benchmarks/svg_line_chart.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {
namespace {

// In SVG units; the page scales the whole to the room there is.
constexpr double kWidth = 480;
constexpr double kLeft = 56;
constexpr double kRight = 470;
constexpr double kTop = 48;
constexpr double kBottom = 270;
constexpr double kLegendTop = 324;
constexpr double kLegendRow = 18;
constexpr size_t kLegendColumns = 3;
constexpr size_t kColours = 12;  // as the page has

class Drawing {
 public:
  explicit Drawing(const LineChart& chart)
      : chart_(chart), x_(AxisX(chart)), y_(AxisY(chart)) {}

  std::string Frame() const {
    std::string svg =
        absl::StrFormat("<path class=\"axis\" d=\"M%.0f %.0fV%.0fH%.0f\"/>\n",
                        kLeft, kTop, kBottom, kRight);
    double free_from = 0;  // marks must not run into one another
    for (const double mark : MarksX(chart_)) {
      const std::string text = AxisText(mark);
      const double half = static_cast<double>(text.size()) * 3.5;
      if (X(mark) - half < free_from) continue;
      free_from = X(mark) + half + 6;
      absl::StrAppendFormat(
          &svg, "<text class=\"mark middle\" x=\"%.1f\" y=\"%.0f\">%s</text>\n",
          X(mark), kBottom + 18, text);
    }
    for (const double mark : y_.Marks()) {
      absl::StrAppendFormat(
          &svg,
          "<path class=\"axis\" d=\"M%.0f %.1fH%.0f\"/>"
          "<text class=\"mark label\" x=\"%.0f\" y=\"%.1f\">%s</text>\n",
          kLeft, Y(mark), kRight, kLeft - 6, Y(mark) + 4, AxisText(mark));
    }
    absl::StrAppendFormat(
        &svg,
        "<text class=\"chart-note middle\" x=\"%.0f\" y=\"%.0f\">%s</text>\n",
        (kLeft + kRight) / 2, kBottom + 36, EscapeHtml(chart_.x_label));
    return svg;
  }

  std::string Curve(size_t index) const {
    const Line& line = chart_.lines[index];
    const std::string label = EscapeHtml(line.label);
    std::string path;
    std::string dots;
    for (const auto& [x, y] : line.points) {
      absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L",
                            X(x), Y(y));
      absl::StrAppendFormat(
          &dots,
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>%s: %s, "
          "%s</title></circle>",
          X(x), Y(y), label, AxisText(x), AxisText(y));
    }
    return absl::StrFormat(
        "<g class=\"c%d%s\"><path class=\"curve\" d=\"%s\"/>%s</g>\n",
        index % kColours, line.is_ours ? " thick" : "", path, dots);
  }

 private:
  double X(double value) const {
    return kLeft + x_.Position(value) * (kRight - kLeft);
  }
  double Y(double value) const {
    return kBottom - y_.Position(value) * (kBottom - kTop);
  }

  const LineChart& chart_;
  const Axis x_;
  const Axis y_;
};

}  // namespace

std::string SvgLineChart(const LineChart& chart) {
  const Drawing drawing(chart);
  std::string curves[2];  // HAKMEM's over the others
  std::string legend;
  size_t shown = 0;
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const Line& line = chart.lines[i];
    if (line.points.empty()) continue;
    curves[line.is_ours ? 1 : 0] += drawing.Curve(i);
    const double x =
        static_cast<double>(shown % kLegendColumns) * kWidth / kLegendColumns;
    const double y =
        kLegendTop + static_cast<double>(shown / kLegendColumns) * kLegendRow;
    absl::StrAppendFormat(
        &legend,
        "<g class=\"c%d\"><rect x=\"%.0f\" y=\"%.0f\" width=\"14\" "
        "height=\"4\"/></g><text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
        i % kColours, x, y - 6, x + 20, y, EscapeHtml(line.label));
    ++shown;
  }
  if (shown == 0) return "";
  const size_t rows = (shown + kLegendColumns - 1) / kLegendColumns;
  return absl::StrCat(
      absl::StrFormat(
          "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n"
          "<text class=\"chart-title\" x=\"0\" y=\"15\">%s</text>\n"
          "<text class=\"chart-note\" x=\"0\" y=\"32\">%s</text>\n",
          kWidth, kLegendTop + static_cast<double>(rows) * kLegendRow,
          EscapeHtml(chart.title), EscapeHtml(chart.title),
          EscapeHtml(chart.y_label)),
      drawing.Frame(), curves[0], curves[1], legend, "</svg>\n");
}

}  // namespace hakmem::bench
