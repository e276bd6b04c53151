#include "benchmarks/curves.h"

#include <functional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "benchmarks/criteria.h"
#include "benchmarks/harness/bench_cases.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

constexpr double kKibInMib = 1024;

// Everybody but variants that differ in their adaptive pool alone.
std::vector<size_t> Drawn(const Results& results) {
  std::vector<size_t> drawn;
  const std::vector<size_t> back_ends = BackEnds(results);
  const std::set<size_t> ours(back_ends.begin(), back_ends.end());
  for (size_t who = 0; who < results.contenders().size(); ++who) {
    if (results.contenders()[who].kind != Contender::kVariant ||
        ours.count(who) != 0) {
      drawn.push_back(who);
    }
  }
  return drawn;
}

Line LineOf(const Results& results, size_t who) {
  const Contender& contender = results.contenders()[who];
  return {contender.name, contender.kind == Contender::kVariant, {}};
}

// The rows of the table under a curve: a column for each mark.
void AddTable(const LineChart& chart, Section& section) {
  const std::vector<double> marks = MarksX(chart);
  section.header = {chart.x_label};
  for (const double mark : marks) section.header.push_back(AxisText(mark));
  for (const Line& line : chart.lines) {
    if (line.points.empty()) continue;
    Row& row = section.rows.emplace_back();
    row.cells = {line.label};
    row.css_class = line.is_ours ? "ours" : "peer";
    for (const double mark : marks) {
      std::string cell = "-";
      for (const auto& [x, y] : line.points) {
        if (x == mark) cell = Cell(y, 2);
      }
      row.cells.push_back(cell);
    }
  }
}

// Cost per operation over what `place` says of each case, if it says anything.
void AddCost(
    const Standings& standings, const std::string& title,
    const std::string& text, const std::string& x_label,
    const std::function<std::optional<double>(const Case& a_case)>& place,
    std::vector<Section>& sections) {
  const Results& results = standings.results();
  LineChart chart = {"Cost", x_label, "ns per operation", /*log_x=*/true, {}};
  for (const size_t who : Drawn(results)) {
    Line line = LineOf(results, who);
    for (size_t c = 0; c < results.cases().size(); ++c) {
      const auto x = place(results.cases()[c]);
      const auto& summary = standings.comparison(c).summary(who);
      if (!x.has_value() || !summary.has_value()) continue;
      line.points.emplace_back(*x, summary->ns.median);
    }
    chart.lines.push_back(std::move(line));
  }
  if (MarksX(chart).size() < 2) return;
  Section section;
  section.title = title;
  section.text = text;
  AddTable(chart, section);
  section.curves.push_back(std::move(chart));
  sections.push_back(std::move(section));
}

std::optional<double> SlotsOfSmall(const Case& a_case) {
  if (a_case.kind != kSmall || a_case.slots == 0) return std::nullopt;
  return static_cast<double>(a_case.slots);
}

std::optional<double> SlotsOfLognormal(const Case& a_case) {
  std::string_view name = a_case.workload;
  double slots = 0;
  if (!absl::ConsumePrefix(&name, "lognormal-") ||
      !absl::SimpleAtod(name, &slots)) {
    return std::nullopt;
  }
  return slots;
}

std::optional<double> ThreadsOfRandomMixed(const Case& a_case) {
  if (a_case.kind != kThreads || a_case.slots == 0) return std::nullopt;
  return static_cast<double>(a_case.threads);
}

// A chart per workload that says how its memory went, of the last run of each.
void AddResident(const Standings& standings, std::vector<Section>& sections) {
  const Results& results = standings.results();
  Section section;
  section.title = "Resident against live memory";
  section.text =
      "Each curve follows a run from its beginning: what the program held, and "
      "what was resident for it. Below a curve lies memory in use, between the "
      "diagonal and the curve what the allocator keeps beside it.";
  for (size_t c = 0; c < results.cases().size(); ++c) {
    LineChart chart = {results.cases()[c].Name(),
                       "live, MiB",
                       "resident, MiB",
                       /*log_x=*/false,
                       {}};
    bool any = false;
    for (const size_t who : Drawn(results)) {
      Line line = LineOf(results, who);
      const std::vector<Sample>& samples = results.samples(who, c);
      if (!samples.empty()) {
        for (const auto& [live, resident] : samples.back().series) {
          line.points.emplace_back(live / kKibInMib, resident / kKibInMib);
        }
      }
      any = any || line.points.size() > 1;
      chart.lines.push_back(std::move(line));
    }
    if (any) section.curves.push_back(std::move(chart));
  }
  if (!section.curves.empty()) sections.push_back(std::move(section));
}

}  // namespace

std::vector<Section> CurveSections(const Standings& standings) {
  std::vector<Section> sections;
  AddCost(standings, "Cost against working set: random-mixed",
          "CPU time per operation on one thread, in ns.", "slots", SlotsOfSmall,
          sections);
  AddCost(standings, "Cost against working set: log-normal sizes",
          "CPU time per operation on one thread, in ns.", "slots",
          SlotsOfLognormal, sections);
  AddCost(standings, "Cost against threads: random-mixed",
          "Time of a core per operation, in ns, 1024 slots for each thread.",
          "threads", ThreadsOfRandomMixed, sections);
  AddResident(standings, sections);
  return sections;
}

}  // namespace hakmem::bench
