// The views of one result: terminal, Markdown, page.
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "benchmarks/analysis/results_test_helper.h"
#include "benchmarks/report/html.h"
#include "benchmarks/report/markdown.h"
#include "benchmarks/report/terminal.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tools/text/table.h"

namespace hakmem::bench {
namespace {

using tools::DisplayWidth;

using json = nlohmann::ordered_json;

Measurements MakeMeasured() {
  Measurements results = MakeGoodAndBad();
  Forget(results, "map", kJemalloc);
  AddFailure(results, "map", kJemalloc, "<crash> | \"burn\"");
  results.absences.resize(results.cases.size());
  results.absences[CaseOf(results, "zstd")] = "no zstd <here>";
  for (size_t who = 0; who < 6; ++who) Forget(results, "zstd", who);
  return results;
}

// Two workloads.
Measurements MakeFew() {
  Measurements results = MakeMeasured();
  std::erase_if(results.samples, [&](const Sample& sample) {
    const std::string& key = results.cases[sample.a_case].key;
    return key != "map" && key != "idle" && key != "random-mixed-256";
  });
  return results;
}

json ResultOf(const Measurements& measurements,
              const Against* against = nullptr) {
  return MakeResult(MakeInfo(), Cells(measurements), against);
}

std::string Text(const Measurements& measurements, TerminalStyle style = {}) {
  return TerminalReport(ResultOf(measurements), style);
}

TEST(TerminalReport, BeginsWithTheAnswerAndEndsWithTheGoals) {
  for (const Measurements& results : {MakeMeasured(), MakeFew()}) {
    const std::string text = Text(results);
    EXPECT_EQ(text.find("Should I switch?\nYes: HAKMEM segment takes "), 0u)
        << text.substr(0, 200);
    const size_t goals = text.find("Goals of the project");
    ASSERT_NE(goals, std::string::npos);
    for (const char* const before :
         {"Compared with mimalloc", "Failures", "Not here"}) {
      EXPECT_LT(text.find(before), goals) << before;
    }
  }
}

TEST(TerminalReport, ShowsFewWorkloadsOneByOne) {
  const std::string text = Text(MakeFew());
  for (const char* const part :
       {"small: map\nCPU time per operation. An operation is the life of a "
        "node of a std::map.",
        "x best", "x lean", "interval", "+floor", "79.20", "79.00..79.39",
        "9.0 MiB", "start: idle\nMemory alone."}) {
    EXPECT_TRUE(Contains(text, part)) << part << "\n" << text;
  }
}

TEST(TerminalReport, ExplainsTheColumnsThatThereAre) {
  // On one line.
  const std::string text = absl::StrReplaceAll(Text(MakeFew()), {{"\n", " "}});
  EXPECT_TRUE(Contains(text, "faults: page faults without I/O."));
  EXPECT_FALSE(Contains(text, "waste: "));
}

TEST(TerminalReport, ShowsManyWorkloadsByKind) {
  const std::string text = Text(MakeMeasured());
  for (const char* const part :
       {"Small blocks, one thread: time over the fastest peer's",
        "Whole programs: peak over the leanest's", "Geometric means: Time",
        "best peer", "0.790",
        "Where segment is not the fastest\nIn no "
        "workload.",
        "Where superslab is not the leanest", "FAILED: jemalloc: map: <crash>",
        "no zstd <here>", "not <installed>",
        "random-mixed: time over working set", "slots"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
}

TEST(TerminalReport, FitsEightyColumns) {
  for (const Measurements& results : {MakeMeasured(), MakeFew()}) {
    const std::string text = Text(results);
    for (const auto line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(DisplayWidth(line), 80u) << line;
    }
  }
}

TEST(TerminalReport, IsPlainUnlessColourIsAskedFor) {
  for (const char c : Text(MakeMeasured())) {
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
  const std::string coloured =
      Text(MakeMeasured(), {.unicode = true, .colour = true});
  EXPECT_TRUE(Contains(coloured, "\033[32m"));
  EXPECT_TRUE(Contains(coloured, "\033[31m"));
  EXPECT_TRUE(Contains(coloured, "█"));
  // Colours take no room.
  for (const auto line : absl::StrSplit(coloured, '\n')) {
    EXPECT_LE(DisplayWidth(line), 80u) << line;
  }
}

TEST(TerminalReport, FewRunsHaveARangeAndOneHasNone) {
  Measurements results = MakeMeasurements();
  AddRun(results, "map", kGlibc, 100, 1);
  EXPECT_TRUE(Contains(Text(results), "one run"));
  AddRun(results, "map", kGlibc, 120, 1);
  EXPECT_TRUE(Contains(Text(results), "100.00..120.00"));
}

TEST(TerminalReport, TimesHaveAUnitInWhichTheyAreReadable) {
  Measurements results = MakeMeasurements();
  AddRun(results, "map", kGlibc, 999, 1);
  AddRun(results, "redis", kGlibc, 2500, 1);
  AddRun(results, "gxx", kGlibc, 3.25e6, 1);
  const std::string text = Text(results);
  for (const char* const part :
       {"ns/op", "999.00", "us/op", "2.50", "ms/op", "3.25"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
}

TEST(TerminalReport, SaysWhyNothingWasMeasured) {
  Measurements results = MakeMeasurements();
  results.absences.resize(results.cases.size());
  results.absences[CaseOf(results, "redis")] = "no redis-server";
  const std::string text = Text(results);
  EXPECT_TRUE(Contains(text, "Nothing was measured."));
  EXPECT_TRUE(Contains(text, "no redis-server"));
}

TEST(EveryView, SaysWhatBecameBetterAndWorse) {
  const Measurements former = MakeGoodAndBad();
  Measurements now = MakeGoodAndBad();
  Forget(now, "map", kSegment);
  AddRuns(now, "map", kSegment, 79 * 1.2, 9);
  Forget(now, "lua", kSuperslab);
  AddFailure(now, "lua", kSuperslab, "took too long");
  std::string error;
  const auto read = ReadFormerResult(ResultText(ResultOf(former)), error);
  ASSERT_TRUE(read.has_value()) << error;
  Against against = CompareWith(*read, Cells(now));
  against.file = "old.json";
  against.other_machine = true;
  const json result = ResultOf(now, &against);
  const std::string page = HtmlReport(ResultText(result));
  EXPECT_TRUE(Contains(page, "\"drift\": "));
  for (const std::string& text :
       {TerminalReport(result, {}), MarkdownReport(result)}) {
    for (const char* const part :
         {"Against old.json", "2 are worse and 0 better", "1.200", "FAILED",
          "worse", "another machine"}) {
      EXPECT_TRUE(Contains(text, part)) << part;
    }
  }
}

TEST(MarkdownReport, HasTheMachineTheCommandAndTheTables) {
  const std::string text = MarkdownReport(ResultOf(MakeMeasured()));
  for (const char* const part :
       {"# HAKMEM beside its peers: Full comparison",
        "`./bazelw run //benchmarks:compare -- --suite=full "
        "--peer=x=PATH/<x>.so`",
        "| cpu | A &lt;fast> one |", "## Goals of the project",
        "## Geometric means: Time", "## Where superslab is not the fastest",
        "## programs: redis", "&lt;crash> \\| \"burn\"", "|:--|--:|",
        "| slots | 64 | 256 | 1024 |", "not &lt;installed>"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
  // What was not run has no table.
  EXPECT_FALSE(Contains(text, "programs: zstd"));
}

TEST(MarkdownReport, RowsHaveAsManyCellsAsTheirHeader) {
  const Measurements results = MakeMeasured();
  std::istringstream text(MarkdownReport(ResultOf(results)));
  size_t tables = 0;
  size_t cells = 0;
  std::string former;
  for (std::string line; std::getline(text, line); former = line) {
    if (line.empty() || line[0] != '|') continue;
    size_t bars = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++bars;
    }
    if (former.empty() || former[0] != '|') {
      ++tables;
      cells = bars;
    }
    EXPECT_EQ(bars, cells) << line;
  }
  EXPECT_GT(tables, results.cases.size());
}

TEST(HtmlReport, HoldsTheResultAndNothingThatEndsItsScript) {
  Measurements results = MakeMeasured();
  AddFailure(results, "redis", kGlibc, "</script><b>x</b><!-- y");
  const std::string text = ResultText(ResultOf(results));
  const std::string page = HtmlReport(text);
  EXPECT_FALSE(Contains(page, "/*RESULT*/"));
  EXPECT_FALSE(Contains(page, "</script><b>"));
  EXPECT_FALSE(Contains(page, "<!-- y"));
  // What a browser reads of it is what was put in.
  const size_t begin = page.find("{\n \"format\"");
  ASSERT_NE(begin, std::string::npos);
  const size_t end = page.find("</script>", begin);
  EXPECT_EQ(json::parse(page.substr(begin, end - begin)), json::parse(text));
  for (const char* const foreign : {"src=", "rel=\"stylesheet\"", "@import"}) {
    EXPECT_FALSE(Contains(page, foreign)) << foreign;
  }
}

}  // namespace
}  // namespace hakmem::bench
