// What all workloads amount to (bench_sections.h).
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/bench_sections.h"
#include "benchmarks/harness/bench_cases.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

// Workloads that are taken together in a column of the table of means.
struct Group {
  std::string name;
  std::vector<size_t> cases;
};

std::vector<Group> Groups(const Standings& standings) {
  std::vector<std::pair<std::string, std::vector<std::string>>> named;
  for (const std::string& kind : KindNames()) {
    named.push_back({kind, {kind}});
    if (kind == kThreads) {
      named.push_back({"small+threads", {kSmall, kThreads}});
    }
  }
  named.push_back({"all", {}});
  std::vector<Group> groups;
  for (const auto& [name, kinds] : named) {
    std::vector<size_t> cases = standings.CasesOf(kinds);
    if (!cases.empty()) groups.push_back({name, std::move(cases)});
  }
  return groups;
}

Section MeansSection(const Standings& standings) {
  const Results& results = standings.results();
  Section section;
  section.title = "Geometric means";
  section.text =
      "Time / peak RSS over those of the best single peer (the one with the "
      "lowest mean of times in that column), then peak RSS over that of the "
      "leanest peer of each workload but glibc. Lower is better; below 1.000 "
      "is "
      "ahead of the peer.";
  section.header = {""};
  std::vector<std::string> counts = {"workloads"};
  std::vector<std::string> references = {"best single peer"};
  const std::vector<Group> groups = Groups(standings);
  std::vector<std::optional<size_t>> best;
  for (const Group& group : groups) {
    section.header.push_back(group.name);
    counts.push_back(absl::StrCat(group.cases.size()));
    best.push_back(standings.BestSinglePeer(group.cases));
    references.push_back(best.back().has_value()
                             ? results.contenders()[*best.back()].name
                             : "-");
  }
  section.rows = {{counts}, {references}};
  for (size_t who = 0; who < results.contenders().size(); ++who) {
    const Contender& contender = results.contenders()[who];
    if (contender.kind == Contender::kFloor) continue;
    Row row = {{contender.name}, CssClass(contender.kind)};
    for (size_t g = 0; g < groups.size(); ++g) {
      // Means over a part of the column's workloads compare with nothing.
      size_t measured = 0;
      for (const size_t c : groups[g].cases) {
        if (!results.cases()[c].LeavesOut(contender.name)) ++measured;
      }
      if (measured < groups[g].cases.size()) {
        row.cells.push_back("-");
        continue;
      }
      std::optional<double> time;
      std::optional<double> peak;
      if (best[g].has_value()) {
        time = standings.MeanTimeRatio(groups[g].cases, who, *best[g]);
        peak = standings.MeanPeakRatio(groups[g].cases, who, *best[g]);
      }
      row.cells.push_back(absl::StrCat(
          Cell(time, 3), " / ", Cell(peak, 3), ", ",
          Cell(standings.MeanPeakOverLeanest(groups[g].cases, who), 3)));
    }
    section.rows.push_back(std::move(row));
  }
  return section;
}

Section BehindSection(const Standings& standings, size_t who, bool in_memory) {
  const Results& results = standings.results();
  const std::string& name = results.contenders()[who].name;
  const std::vector<Behind> behind =
      in_memory ? standings.BehindInMemory(who) : standings.BehindInTime(who);
  Section section;
  section.title = absl::StrCat("Where ", name, " is not the ",
                               in_memory ? "leanest" : "fastest");
  std::vector<Row> rows;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (results.failure(who, c).empty()) continue;
    rows.push_back({{results.cases()[c].Name(), results.cases()[c].kind,
                     "FAILED", "-", "-", "yes"}});
  }
  for (const Behind& each : behind) {
    const std::string& first = results.contenders()[each.first].name;
    const auto other =
        in_memory && standings.FastestPeer(each.a_case).has_value()
            ? standings.TimeRatio(each.a_case, who,
                                  *standings.FastestPeer(each.a_case))
        : in_memory
            ? std::nullopt
            : standings.comparison(each.a_case).PeakAgainstLeanestPeer(who);
    const std::string ratio = Cell(each.ratio, 3);
    rows.push_back(
        {{results.cases()[each.a_case].Name(),
          results.cases()[each.a_case].kind, first,
          in_memory ? Cell(other, 3) : ratio,
          in_memory ? ratio : Cell(other, 3), each.is_clear ? "yes" : "no"}});
  }
  if (rows.empty()) {
    section.text = "In no workload.";
    return section;
  }
  section.text = absl::StrFormat(
      "%d of %d workloads, the worst first. Time is over the fastest peer's, "
      "memory (peak RSS) over the leanest peer's but glibc. Beyond noise: the "
      "intervals do not overlap.",
      rows.size(), standings.CasesOf({}).size());
  section.header = {"",     "kind",   in_memory ? "leanest" : "fastest",
                    "time", "memory", "beyond noise"};
  section.rows = std::move(rows);
  return section;
}

Section VerdictsSection(const Results& results, const Judgement& judgement) {
  Section section;
  section.title = "Asked and reached";
  std::vector<std::vector<std::string>> rows = VerdictRows(results, judgement);
  rows[0][0].clear();  // the title says it
  section.header = rows[0];
  for (size_t i = 1; i < rows.size(); ++i) section.rows.push_back({rows[i]});
  return section;
}

// A list, as a table of one column; empty titles make none.
void AddList(const std::string& title, const std::vector<std::string>& lines,
             std::vector<Section>& sections) {
  if (lines.empty()) return;
  Section section;
  section.title = title;
  section.header = {"workload: why"};
  for (const std::string& line : lines) section.rows.push_back({{line}});
  sections.push_back(std::move(section));
}

}  // namespace

std::vector<Section> SummarySections(const Standings& standings,
                                     const Judgement& judgement) {
  const Results& results = standings.results();
  std::vector<Section> sections = {MeansSection(standings)};
  for (const bool in_memory : {false, true}) {
    for (const size_t who : BackEnds(results)) {
      sections.push_back(BehindSection(standings, who, in_memory));
    }
  }
  std::vector<std::string> absent;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (results.absence(c).empty()) continue;
    absent.push_back(
        absl::StrCat(results.cases()[c].Name(), ": ", results.absence(c)));
  }
  AddList("Workloads that could not be run here", absent, sections);
  std::vector<std::string> failures;
  for (size_t who = 0; who < results.contenders().size(); ++who) {
    for (const std::string& failure : results.Failures(who)) {
      failures.push_back(absl::StrCat(
          "FAILED: ", results.contenders()[who].name, ": ", failure));
    }
  }
  AddList("Failures", failures, sections);
  if (!judgement.judged().empty() && !judgement.criteria().empty()) {
    sections.push_back(VerdictsSection(results, judgement));
  }
  return sections;
}

}  // namespace hakmem::bench
