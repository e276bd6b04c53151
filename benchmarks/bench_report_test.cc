#include "benchmarks/bench_report.h"

#include <sstream>

#include "benchmarks/bench_criteria.h"
#include "benchmarks/bench_results_test_helper.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

Results MakeMeasured() {
  Results results = MakeGoodAndBad();
  const size_t broken = CaseOf(results, "map");
  results.Forget(kJemalloc, broken);
  results.SetFailure(kJemalloc, broken, "<crash> | \"burn\"");
  results.SetAbsent(CaseOf(results, "zstd"), "no zstd <here>");
  return results;
}

RunInfo MakeInfo() {
  return {"full",
          "compare --suite=full --peer=x=PATH/<x>.so",
          {{"cpu", "A <fast> one"}},
          {"tcmalloc: not <installed>"},
          100};
}

std::string Text(const Results& results, bool unicode) {
  return BenchText(results, JudgeBench(Standings(results)), unicode);
}

TEST(BenchText, ShowsTimeAndMemoryOfEachWorkload) {
  const std::string text = Text(MakeMeasured(), /*unicode=*/true);
  for (const char* const part :
       {"small: map\nCPU time per operation (the life of a node of a "
        "std::map), medians of "
        "6 runs",
        "95 % interval", "x best", "x leanest", "CPU/wall", "above floor",
        "79.20", "79.00..79.39", "9.0 MiB",
        "start: idle\nMemory of a process that sleeps",
        "Time of a core per operation"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
}

TEST(BenchText, SaysWhatItAmountsTo) {
  const std::string text = Text(MakeMeasured(), /*unicode=*/true);
  for (const char* const part :
       {"Geometric means", "best single peer", "0.790 / 0.900, 0.900",
        "Where segment is not the fastest\nIn no workload.",
        "Where superslab is not the leanest", "Asked and reached",
        "FAILED: jemalloc: map: <crash>", "zstd: no zstd <here>",
        "Cost against working set: random-mixed", "slots",
        "Cost against threads", "drift: resident, MiB", "live, MiB"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
  // Those that were not run have no table.
  EXPECT_FALSE(Contains(text, "programs: zstd"));
  EXPECT_TRUE(Contains(text, "programs: redis"));
}

TEST(BenchText, FewRunsHaveARangeAndOneHasNone) {
  Results results = MakeBenchResults();
  results.Add(kGlibc, CaseOf(results, "map"), MakeSample(100));
  EXPECT_TRUE(Contains(Text(results, true), "one run"));
  results.Add(kGlibc, CaseOf(results, "map"), MakeSample(120));
  const std::string text = Text(results, true);
  EXPECT_TRUE(Contains(text, "range"));
  EXPECT_TRUE(Contains(text, "100.00..120.00"));
}

TEST(BenchText, IsPlainAsciiWhereItMustBe) {
  for (const char c : Text(MakeMeasured(), /*unicode=*/false)) {
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
}

TEST(BenchText, SaysWhyNothingWasMeasured) {
  Results results = MakeBenchResults();
  results.SetAbsent(CaseOf(results, "redis"), "no redis-server");
  const std::string text = Text(results, true);
  EXPECT_TRUE(Contains(text, "Nothing was measured."));
  EXPECT_TRUE(Contains(text, "redis: no redis-server"));
}

TEST(BenchMarkdown, HasTheMachineTheCommandAndTheTables) {
  const Results results = MakeMeasured();
  const std::string text =
      BenchMarkdown(results, JudgeBench(Standings(results)), MakeInfo());
  for (const char* const part :
       {"# HAKMEM beside its peers: full",
        "`./bazelw run //benchmarks:compare -- --suite=full "
        "--peer=x=PATH/<x>.so`",
        "| cpu | A &lt;fast> one |", "## Asked and reached",
        "## Geometric means", "## Where superslab is not the fastest",
        "## programs: redis", "&lt;crash> \\| \"burn\"", "|:--|--:|",
        "| slots | 64 | 256 | 1 Ki |", "not &lt;installed>"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
}

TEST(BenchMarkdown, RowsHaveAsManyCellsAsTheirHeader) {
  const Results results = MakeMeasured();
  std::istringstream text(
      BenchMarkdown(results, JudgeBench(Standings(results)), MakeInfo()));
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
  EXPECT_GT(tables, results.cases().size());
}

TEST(BenchHtml, IsSelfContainedAndEscaped) {
  const Results results = MakeMeasured();
  const std::string html =
      BenchHtml(results, JudgeBench(Standings(results)), MakeInfo());
  for (const char* const part :
       {"<svg", "&lt;crash&gt;", "not &lt;installed&gt;", "class=\"curve\"",
        "class=\"yes\"", "class=\"no\"", "<title>HAKMEM: full</title>",
        "programs: redis", "Resident against live memory", "</html>"}) {
    EXPECT_TRUE(Contains(html, part)) << part;
  }
  for (const char* const foreign :
       {"<script", "http:", "https:", "src=", "<link", "@import", "url("}) {
    EXPECT_FALSE(Contains(html, foreign)) << foreign;
  }
}

}  // namespace
}  // namespace hakmem::bench
