#include "benchmarks/line_chart.h"

#include "absl/strings/str_split.h"
#include "benchmarks/svg_line_chart.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

LineChart MakeChart() {
  return {"Cost",
          "slots",
          "ns <op>",
          /*log_x=*/true,
          {{"flat", true, {{64, 10}, {1024, 10}, {16384, 10}}},
           {"none", false, {}},
           {"steep & tall", false, {{64, 10}, {16384, 20}}}}};
}

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n');
}

TEST(TextLineChart, DrawsPointsWhereTheyLie) {
  const std::vector<std::string> lines =
      Lines(TextLineChart(MakeChart(), /*unicode=*/false));
  ASSERT_EQ(lines.size(), 1u + 16 + 3 + 1);
  EXPECT_EQ(lines[0], "Cost: ns <op>");
  // Twenty at the top right, ten halfway down.
  EXPECT_EQ(lines[1].substr(0, 10), "      20 |");
  EXPECT_EQ(lines[1].back(), 'C');
  const std::string& middle = lines[1 + 8];
  EXPECT_EQ(middle.substr(0, 11), "      10 |A");
  // On a logarithmic axis 1024 lies halfway; HAKMEM's hides the other's point.
  EXPECT_EQ(middle[10 + 32], 'A');
  EXPECT_EQ(middle[10 + 63], 'A');
  EXPECT_EQ(middle[10 + 16], '.');
  EXPECT_EQ(lines[16].substr(0, 10), "       0 |");
  EXPECT_TRUE(Contains(lines[18], "64"));
  EXPECT_TRUE(Contains(lines[18], "1 Ki"));
  EXPECT_TRUE(Contains(lines[18], "16 Ki   slots"));
  EXPECT_TRUE(Contains(lines[19], "A flat  C steep & tall"));
}

TEST(TextLineChart, FollowsACurveThatTurnsBack) {
  const LineChart chart = {"",
                           "live",
                           "resident",
                           /*log_x=*/false,
                           {{"x", true, {{0, 0}, {10, 10}, {0, 10}}}}};
  const std::vector<std::string> lines =
      Lines(TextLineChart(chart, /*unicode=*/false));
  // Along the top, all of it.
  EXPECT_EQ(lines[1].substr(10), "A" + std::string(62, '.') + "A");
}

TEST(TextLineChart, WhatCannotBeDrawnIsEmptyOrAPoint) {
  LineChart chart = MakeChart();
  chart.lines.clear();
  EXPECT_EQ(TextLineChart(chart, true), "");
  EXPECT_EQ(SvgLineChart(chart), "");
  chart.lines = {{"zero", true, {{5, 0}}}};
  EXPECT_TRUE(Contains(TextLineChart(chart, true), "A zero"));
  EXPECT_TRUE(Contains(SvgLineChart(chart), "zero"));
}

TEST(TextLineChart, PlainAsciiUnlessTheTerminalCan) {
  for (const char c : TextLineChart(MakeChart(), /*unicode=*/false)) {
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
  EXPECT_TRUE(Contains(TextLineChart(MakeChart(), true), "│"));
}

TEST(Axis, IsLogarithmicWhereCostsLieFarApart) {
  LineChart chart = MakeChart();
  EXPECT_EQ(AxisY(chart).low(), 0);
  chart.lines[2].points.back().second = 1000;
  const Axis y = AxisY(chart);
  EXPECT_EQ(y.low(), 10);
  EXPECT_DOUBLE_EQ(y.Position(100), 0.5);
  EXPECT_DOUBLE_EQ(y.Marks()[1], 100);
  // Memory is always drawn in proportion.
  chart.log_x = false;
  EXPECT_EQ(AxisY(chart).low(), 0);
}

TEST(AxisText, IsShort) {
  EXPECT_EQ(AxisText(0), "0");
  EXPECT_EQ(AxisText(64), "64");
  EXPECT_EQ(AxisText(8192), "8 Ki");
  EXPECT_EQ(AxisText(1 << 20), "1 Mi");
  EXPECT_EQ(AxisText(1.234), "1.23");
  EXPECT_EQ(AxisText(12.34), "12.3");
  EXPECT_EQ(AxisText(1234.5), "1234");
}

TEST(SvgLineChart, DrawsAndEscapes) {
  const std::string svg = SvgLineChart(MakeChart());
  EXPECT_TRUE(Contains(svg, "ns &lt;op&gt;"));
  EXPECT_TRUE(Contains(svg, "steep &amp; tall"));
  // From 64 to 16384 over the whole width, 1024 halfway; 10 halfway up.
  EXPECT_TRUE(Contains(svg, "M56.0 159.0L263.0 159.0L470.0 159.0"));
  EXPECT_TRUE(Contains(svg, "M56.0 159.0L470.0 48.0"));
  EXPECT_TRUE(Contains(svg, "class=\"c0 thick\""));
  EXPECT_FALSE(Contains(svg, "none"));
}

}  // namespace
}  // namespace hakmem::bench
