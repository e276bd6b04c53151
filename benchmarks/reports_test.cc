// What the reports say, and that nothing in a name or message breaks them.
#include <string>

#include "benchmarks/harness/json.h"
#include "benchmarks/random_mixed_criteria.h"
#include "benchmarks/report_html.h"
#include "benchmarks/report_json.h"
#include "benchmarks/report_text.h"
#include "benchmarks/results_test_helper.h"
#include "benchmarks/svg_chart.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

Results MakeMeasured() {
  Results results = MakeResults();
  for (size_t c = 0; c < 2; ++c) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      results.Add(kFloor, c, MakeSample(8 + repeat));
      results.Add(kSegment, c, MakeVariantSample(10 + repeat));
      results.Add(kSuperslab, c, MakeVariantSample(11 + repeat));
      results.Add(kGlibc, c, MakeSample(18 + repeat));
    }
  }
  results.SetFailure(kMimalloc, 1, "<crash> & \"burn\"");
  return results;
}

RunInfo MakeInfo() {
  return {"random-mixed",
          "compare --peer='<x>'",
          {{"cpu", "A <fast> & \"good\" one"}},
          {"tcmalloc: not <installed>"}};
}

std::string Text(const Results& results, bool unicode = true) {
  return TextReport(results, JudgeRandomMixed(results), unicode);
}

TEST(EscapeHtml, EscapesWhatHtmlTakesForItself) {
  EXPECT_EQ(EscapeHtml("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(EscapeHtml("&amp;"), "&amp;amp;");
}

TEST(TextReport, ShowsFiguresFailuresAndVerdicts) {
  const std::string text = Text(MakeMeasured());
  EXPECT_TRUE(Contains(text, "256 slots, 1 thread: CPU time, medians of 3"));
  EXPECT_TRUE(Contains(text, "111.1"));  // the floor: 9 ns
  EXPECT_TRUE(Contains(text, "1.73"));   // segment against glibc: 19 / 11
  EXPECT_TRUE(Contains(text, "10.0 %"));
  EXPECT_TRUE(Contains(text, "█"));
  EXPECT_TRUE(Contains(text, "2.00 ?"));  // no mimalloc to hold it against
  EXPECT_TRUE(Contains(text, "not available here"));
  EXPECT_TRUE(
      Contains(text, "FAILED: mimalloc: 8192 slots, 1 thread: <crash>"));
}

TEST(TextReport, IsPlainAsciiWhereItMustBe) {
  for (const char c : Text(MakeMeasured(), /*unicode=*/false)) {
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
}

TEST(TextReport, ReportsWhatThereIs) {
  EXPECT_EQ(Text(MakeResults()), "Nothing was measured.\n");
  Results results = MakeResults();
  results.Add(kFloor, 0, MakeSample(8));
  const std::string text = Text(results);
  EXPECT_TRUE(Contains(text, "256 slots"));
  EXPECT_FALSE(Contains(text, "8192 slots, 1 thread"));
}

TEST(TextReport, ShowsMissesWhereTheKernelCountsThem) {
  Results results = MakeMeasured();
  Sample sample = MakeSample(9);
  sample.cache_misses = 1234;
  Results counted = MakeResults();
  counted.Add(kFloor, 0, sample);
  EXPECT_EQ(PerfRefusal(counted), "");
  EXPECT_TRUE(Contains(Text(counted), "0.0012"));
  EXPECT_EQ(PerfRefusal(results), "Permission <denied>");
}

TEST(HtmlReport, IsSelfContainedAndEscaped) {
  const std::string html =
      HtmlReport(MakeMeasured(), JudgeRandomMixed(MakeMeasured()), MakeInfo());
  EXPECT_TRUE(Contains(html, "<svg"));
  EXPECT_TRUE(Contains(html, "111.1"));
  EXPECT_TRUE(Contains(html, "A &lt;fast&gt; &amp; &quot;good&quot; one"));
  EXPECT_TRUE(Contains(html, "&lt;script&gt;"));
  EXPECT_TRUE(Contains(html, "&lt;crash&gt;"));
  EXPECT_TRUE(Contains(html, "not &lt;installed&gt;"));
  for (const char* const foreign :
       {"<script", "http:", "https:", "src=", "<link", "@import", "url("}) {
    EXPECT_FALSE(Contains(html, foreign)) << foreign;
  }
}

TEST(JsonReport, HoldsAllSamplesAndSurvivesReading) {
  const auto json = Json::Parse(
      JsonReport(MakeMeasured(), JudgeRandomMixed(MakeMeasured()), MakeInfo())
          .Dump(1));
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["machine"]["cpu"].text(), "A <fast> & \"good\" one");
  ASSERT_EQ((*json)["allocators"].items().size(), 5u);
  EXPECT_EQ((*json)["allocators"].items()[1]["library"].text(), "a.so");
  ASSERT_EQ((*json)["cases"].items().size(), 2u);
  const Json& first = (*json)["cases"].items()[0]["results"].items()[0];
  EXPECT_EQ(first["allocator"].text(), "floor");
  EXPECT_EQ(first["samples"].items().size(), 3u);
  EXPECT_EQ(first["ns_per_operation"]["median"].number(), 9);
  EXPECT_EQ((*json)["criteria"].items().size(), 22u);
}

TEST(SvgBarChart, DrawsBarsInProportion) {
  const std::string svg = SvgBarChart(
      "A & B", "note",
      {{"full", "ours", 10, 10, 10, 1}, {"half", "peer", 5, 5, 5, 1}});
  EXPECT_TRUE(Contains(svg, "A &amp; B"));
  EXPECT_TRUE(Contains(svg, "width=\"314.0\""));
  EXPECT_TRUE(Contains(svg, "width=\"157.0\""));
  EXPECT_FALSE(Contains(svg, "whisker"));
  // Nothing to draw, or nothing above zero, is no division by zero.
  EXPECT_TRUE(Contains(SvgBarChart("", "", {}), "</svg>"));
  EXPECT_TRUE(Contains(SvgBarChart("", "", {{"x", "peer", -1, -1, -1, 1}}),
                       "width=\"0.0\""));
}

}  // namespace
}  // namespace hakmem::bench
