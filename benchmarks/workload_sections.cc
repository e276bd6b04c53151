// A section per workload (bench_sections.h).
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/bench_sections.h"
#include "benchmarks/case_columns.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

// What stands between the median and what its series says of it.
std::string IntervalText(const Spread& spread, double unit) {
  if (spread.count == 1) return "one run";
  return absl::StrFormat("%.2f..%.2f", spread.interval.low / unit,
                         spread.interval.high / unit);
}

bool IsConfident(const Comparison& comparison) {
  for (const size_t who : comparison.Ranking()) {
    if (comparison.summary(who)->ns.interval.is_confident) return true;
  }
  return false;
}

std::vector<std::string> Header(const Standings& standings, size_t a_case) {
  const Comparison& comparison = standings.comparison(a_case);
  const Case& where = standings.results().cases()[a_case];
  std::vector<std::string> header = {""};
  if (where.timed) {
    header.push_back(absl::StrCat(UnitFor(comparison).name, "/op"));
    header.push_back(IsConfident(comparison) ? "95 % interval" : "range");
    header.push_back("x best");
    if (where.slots != 0) header.push_back("above floor");
  }
  for (const char* const title : {"peak RSS", "x leanest", "faults"}) {
    header.push_back(title);
  }
  if (where.timed) header.push_back("CPU/wall");
  for (const ExtraColumn* const column : ExtraColumns(comparison)) {
    header.push_back(column->title);
  }
  return header;
}

Row MeasuredRow(const Standings& standings, size_t a_case, size_t who) {
  const Comparison& comparison = standings.comparison(a_case);
  const Case& where = standings.results().cases()[a_case];
  const Contender& contender = standings.results().contenders()[who];
  const Summary& summary = *comparison.summary(who);
  Row row = {{contender.name}, CssClass(contender.kind)};
  const bool is_floor = contender.kind == Contender::kFloor;
  if (where.timed) {
    const double unit = UnitFor(comparison).nanoseconds;
    const auto best = comparison.best_peer();
    row.cells.push_back(Cell(summary.ns.median / unit, 2));
    row.cells.push_back(IntervalText(summary.ns, unit));
    row.cells.push_back(Cell(best.has_value() && !is_floor
                                 ? standings.TimeRatio(a_case, who, *best)
                                 : std::nullopt,
                             3));
    if (where.slots != 0) {
      row.cells.push_back(Cell(comparison.AboveFloor(who), 2));
    }
  }
  row.cells.push_back(Mebibytes(summary.peak_rss_kib.median));
  row.cells.push_back(Cell(comparison.PeakAgainstLeanestPeer(who), 3));
  row.cells.push_back(Cell(summary.minor_faults, 0));
  if (where.timed) row.cells.push_back(Cell(summary.cpu_per_wall, 2));
  for (const ExtraColumn* const column : ExtraColumns(comparison)) {
    row.cells.push_back(column->show(summary.*column->member));
  }
  return row;
}

std::string Note(const Standings& standings, size_t a_case) {
  const Case& where = standings.results().cases()[a_case];
  const size_t repeats = standings.comparison(a_case).repeats();
  const std::string runs =
      repeats == 1 ? "one run" : absl::StrCat("medians of ", repeats, " runs");
  if (!where.timed) {
    return absl::StrCat("Memory of ", where.operation, ", ", runs, ".");
  }
  const char* const time = where.by_cpu_time() ? "CPU time"
                           : where.slots != 0  ? "Time of a core"
                                               : "Wall time";
  return absl::StrFormat("%s per operation (%s), %s.", time, where.operation,
                         runs);
}

std::vector<BarChart> Bars(const Standings& standings, size_t a_case) {
  const Comparison& comparison = standings.comparison(a_case);
  const TimeUnit unit = UnitFor(comparison);
  BarChart times = {
      "Time per operation", absl::StrCat(unit.name, ", lower is better"), {}};
  BarChart peaks = {"Peak resident memory", "MiB, lower is better", {}};
  const auto add = [&](size_t who, const Spread& spread, double scale,
                       BarChart& chart) {
    const Contender& contender = standings.results().contenders()[who];
    chart.bars.push_back({contender.name, CssClass(contender.kind),
                          spread.median / scale, spread.interval.low / scale,
                          spread.interval.high / scale, 2});
  };
  for (const size_t who : comparison.Ranking()) {
    const Summary& summary = *comparison.summary(who);
    add(who, summary.ns, unit.nanoseconds, times);
    add(who, summary.peak_rss_kib, 1024, peaks);
  }
  if (!standings.results().cases()[a_case].timed) return {peaks};
  return {times, peaks};
}

}  // namespace

std::vector<Section> WorkloadSections(const Standings& standings) {
  const Results& results = standings.results();
  std::vector<Section> sections;
  for (const size_t c : standings.CasesOf({})) {
    Section section;
    section.title =
        absl::StrCat(results.cases()[c].kind, ": ", results.cases()[c].Name());
    section.text = Note(standings, c);
    section.header = Header(standings, c);
    for (const size_t who : standings.comparison(c).Ranking()) {
      section.rows.push_back(MeasuredRow(standings, c, who));
    }
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      if (results.failure(who, c).empty()) continue;
      const Contender& contender = results.contenders()[who];
      Row row = {{contender.name, "FAILED"}, CssClass(contender.kind)};
      row.cells.resize(section.header.size(), "-");
      section.rows.push_back(std::move(row));
    }
    section.bars = Bars(standings, c);
    sections.push_back(std::move(section));
  }
  return sections;
}

}  // namespace hakmem::bench
