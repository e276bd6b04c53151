#include "benchmarks/line_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

// Beyond this ratio between costs the low ones could not be told apart.
constexpr double kMaxLinearRatio = 25;

// In characters.
constexpr size_t kWidth = 64;
constexpr size_t kHeight = 16;
constexpr size_t kGutter = 9;  // left of the axis

// All points' coordinate that `member` is.
std::vector<double> Values(const LineChart& chart,
                           double std::pair<double, double>::*member) {
  std::vector<double> values;
  for (const Line& line : chart.lines) {
    for (const auto& point : line.points) values.push_back(point.*member);
  }
  return values;
}

Axis MakeAxis(const std::vector<double>& values, bool logarithmic) {
  if (values.empty()) return {1, 1, false};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high, logarithmic && *low > 0};
}

size_t Column(const Axis& axis, double value) {
  return static_cast<size_t>(
      std::lround(axis.Position(value) * static_cast<double>(kWidth - 1)));
}

// What is drawn, row by row from the top: ' ' nothing, '.' between points,
// letters points.
class Canvas {
 public:
  Canvas() : rows_(kHeight, std::string(kWidth, ' ')) {}

  void Draw(const std::vector<std::pair<double, double>>& points, const Axis& x,
            const Axis& y, char letter) {
    for (size_t i = 1; i < points.size(); ++i) {
      Connect(points[i - 1], points[i], x, y);
    }
    for (const auto& [at_x, at_y] : points) At(at_x, at_y, x, y) = letter;
  }
  const std::string& row(size_t index) const { return rows_[index]; }

 private:
  char& At(double at_x, double at_y, const Axis& x, const Axis& y) {
    const double down =
        (1 - y.Position(at_y)) * static_cast<double>(kHeight - 1);
    return rows_[static_cast<size_t>(std::lround(down))][Column(x, at_x)];
  }

  // A straight line on the canvas, whatever the axes are.
  void Connect(const std::pair<double, double>& from,
               const std::pair<double, double>& to, const Axis& x,
               const Axis& y) {
    const double left = x.Position(from.first) * (kWidth - 1);
    const double right = x.Position(to.first) * (kWidth - 1);
    const double first = (1 - y.Position(from.second)) * (kHeight - 1);
    const double last = (1 - y.Position(to.second)) * (kHeight - 1);
    const auto steps = static_cast<int>(
        std::ceil(std::max(std::abs(right - left), std::abs(last - first))));
    for (int step = 1; step < steps; ++step) {
      const double part = static_cast<double>(step) / steps;
      const auto row =
          static_cast<size_t>(std::lround(first + (last - first) * part));
      const auto column =
          static_cast<size_t>(std::lround(left + (right - left) * part));
      // Letters of other lines stay.
      if (rows_[row][column] == ' ') rows_[row][column] = '.';
    }
  }

  std::vector<std::string> rows_;
};

// The line of marks below the axis; those that find no room are left out.
std::string MarkLine(const LineChart& chart, const Axis& x) {
  std::string line;
  for (const double mark : MarksX(chart)) {
    const std::string text = AxisText(mark);
    const size_t begin = kGutter + 1 + Column(x, mark) - text.size() / 2;
    if (!line.empty() && begin <= line.size()) continue;
    line = absl::StrCat(PadRight(line, begin), text);
  }
  return line;
}

}  // namespace

Axis::Axis(double low, double high, bool logarithmic)
    : low_(logarithmic ? low : 0), high_(high), logarithmic_(logarithmic) {}

double Axis::Position(double value) const {
  if (!(high_ > low_)) return 0;
  const double position = logarithmic_
                              ? std::log(value / low_) / std::log(high_ / low_)
                              : (value - low_) / (high_ - low_);
  return std::clamp(position, 0.0, 1.0);
}

std::vector<double> Axis::Marks() const {
  if (!(high_ > low_)) return {high_};
  return {low_, logarithmic_ ? std::sqrt(low_ * high_) : (low_ + high_) / 2,
          high_};
}

Axis AxisX(const LineChart& chart) {
  return MakeAxis(Values(chart, &std::pair<double, double>::first),
                  chart.log_x);
}

Axis AxisY(const LineChart& chart) {
  const std::vector<double> values =
      Values(chart, &std::pair<double, double>::second);
  if (values.empty()) return MakeAxis(values, false);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return MakeAxis(values, chart.log_x && *high > *low * kMaxLinearRatio);
}

std::vector<double> MarksX(const LineChart& chart) {
  if (!chart.log_x) return AxisX(chart).Marks();
  const std::vector<double> values =
      Values(chart, &std::pair<double, double>::first);
  const std::set<double> different(values.begin(), values.end());
  return {different.begin(), different.end()};
}

std::string AxisText(double value) {
  const auto whole = static_cast<uint64_t>(std::max(value, 0.0));
  if (static_cast<double>(whole) == value && whole != 0) {
    if (whole % (1 << 20) == 0) return absl::StrCat(whole >> 20, " Mi");
    if (whole % (1 << 10) == 0) return absl::StrCat(whole >> 10, " Ki");
  }
  return absl::StrFormat("%.*f",
                         value == std::floor(value) || value >= 100 ? 0
                         : value >= 10                              ? 1
                                                                    : 2,
                         value);
}

std::string TextLineChart(const LineChart& chart, bool unicode) {
  const Axis x = AxisX(chart);
  const Axis y = AxisY(chart);
  Canvas canvas;
  std::string legend;
  bool any = false;
  for (const bool ours : {false, true}) {
    for (size_t i = 0; i < chart.lines.size(); ++i) {
      const Line& line = chart.lines[i];
      if (line.is_ours != ours || line.points.empty()) continue;
      any = true;
      canvas.Draw(line.points, x, y, static_cast<char>('A' + i % 26));
    }
  }
  if (!any) return "";
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    if (chart.lines[i].points.empty()) continue;
    absl::StrAppend(&legend, "  ",
                    std::string(1, static_cast<char>('A' + i % 26)), " ",
                    chart.lines[i].label);
  }
  std::string out = absl::StrCat(chart.title, ": ", chart.y_label, "\n");
  const std::vector<double> marks = y.Marks();
  for (size_t row = 0; row < kHeight; ++row) {
    std::string mark;
    for (const double value : marks) {
      const double down = (1 - y.Position(value)) * (kHeight - 1);
      if (static_cast<size_t>(std::lround(down)) == row) mark = AxisText(value);
    }
    std::string line =
        absl::StrCat(PadLeft(mark, kGutter - 1), " ", unicode ? "│" : "|");
    for (const char c : canvas.row(row)) {
      line += c == '.' && unicode ? "·" : std::string(1, c);
    }
    absl::StrAppend(&out, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  absl::StrAppend(&out, std::string(kGutter, ' '), unicode ? "└" : "+");
  for (size_t i = 0; i < kWidth; ++i) out += unicode ? "─" : "-";
  absl::StrAppend(&out, "\n", MarkLine(chart, x), "   ", chart.x_label, "\n",
                  std::string(kGutter - 1, ' '), legend, "\n");
  return out;
}

}  // namespace hakmem::bench
