#include "benchmarks/svg_chart.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace hakmem::bench {
namespace {

// In SVG units; the page scales the whole to the room there is.
constexpr double kWidth = 480;
constexpr double kLabelWidth = 104;   // left of the bars, at least
constexpr double kLetterWidth = 7.2;  // more than most letters take
constexpr double kValueWidth = 62;    // right of the longest bar
constexpr double kHeader = 44;
constexpr double kRow = 26;
constexpr double kBarHeight = 16;

}  // namespace

std::string EscapeHtml(std::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

std::string SvgBarChart(std::string_view title, std::string_view note,
                        const std::vector<SvgBar>& bars) {
  double full = 0;
  double label_width = kLabelWidth;
  for (const SvgBar& bar : bars) {
    full = std::max({full, bar.value, bar.high});
    label_width = std::max(
        label_width, kLetterWidth * static_cast<double>(bar.label.size()) + 8);
  }
  const double scale =
      full > 0 ? (kWidth - label_width - kValueWidth) / full : 0;
  const auto x = [&](double value) {
    return label_width + std::max(value, 0.0) * scale;
  };
  const double height = kHeader + kRow * static_cast<double>(bars.size()) + 4;
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n"
      "<text class=\"chart-title\" x=\"0\" y=\"15\">%s</text>\n"
      "<text class=\"chart-note\" x=\"0\" y=\"32\">%s</text>\n",
      kWidth, height, EscapeHtml(title), EscapeHtml(title), EscapeHtml(note));
  double y = kHeader;
  for (const SvgBar& bar : bars) {
    const double middle = y + kBarHeight / 2;
    absl::StrAppendFormat(
        &svg, "<text class=\"label\" x=\"%.0f\" y=\"%.1f\">%s</text>\n",
        label_width - 8, middle + 4, EscapeHtml(bar.label));
    absl::StrAppendFormat(
        &svg,
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
        "height=\"%.0f\" rx=\"2\"><title>%s: %.*f</title></rect>\n",
        EscapeHtml(bar.css_class), label_width, y, x(bar.value) - label_width,
        kBarHeight, EscapeHtml(bar.label), bar.digits, bar.value);
    double text_at = x(bar.value);
    if (bar.high > bar.low) {
      absl::StrAppendFormat(
          &svg,
          "<path class=\"whisker\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv6M%.1f "
          "%.1fv6\"/>\n",
          x(bar.low), middle, x(bar.high), x(bar.low), middle - 3, x(bar.high),
          middle - 3);
      text_at = std::max(text_at, x(bar.high));
    }
    absl::StrAppendFormat(
        &svg, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">%.*f</text>\n",
        text_at + 6, middle + 4, bar.digits, bar.value);
    y += kRow;
  }
  return svg + "</svg>\n";
}

}  // namespace hakmem::bench
