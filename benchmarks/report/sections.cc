#include "benchmarks/report/sections.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/report/format.h"

namespace hakmem::bench {
namespace {

using Json = ResultView::Json;
using Row = std::vector<std::string>;

constexpr auto Text = &ResultView::Text;
constexpr auto Number = &ResultView::Number;
constexpr auto At = &ResultView::At;

const char* WhatTitle(const std::string& what) {
  return what == "time" ? "Time" : "Peak memory";
}

// The row of the scope's table that is the allocator's, or null.
const Json& RowOf(const Json& mean, const std::string& allocator) {
  static const Json* const none = new Json();
  for (const Json& row : At(mean, "rows")) {
    if (Text(row, "allocator") == allocator) return row;
  }
  return *none;
}

// One with a title and an empty table.
Section WithTable(std::string title, Row header) {
  Section section;
  section.title = std::move(title);
  section.header = std::move(header);
  return section;
}

std::string LimitText(const Json& criterion) {
  const std::string bound = Text(criterion, "bound");
  return absl::StrCat(
      bound == "at_most"    ? "<= "
      : bound == "at_least" ? ">= "
                            : "< ",
      Show(Number(criterion, "limit"), Text(criterion, "unit")));
}

}  // namespace

Section BarsSection(const ResultView& view) {
  const Json& headline = At(view.analysis(), "headline");
  Section section;
  if (headline.is_null()) return section;
  section.title = absl::StrCat("Compared with ", Text(headline, "versus"),
                               " (geometric means; less is better)");
  section.header = {"", "time", "memory"};
  for (const Json& bar : At(headline, "bars")) {
    section.rows.push_back({Text(bar, "allocator"),
                            ShowRatio(Number(bar, "time")),
                            ShowRatio(Number(bar, "memory"))});
  }
  return section;
}

Section MeansSection(const ResultView& view, const std::string& what) {
  Section section;
  section.title = absl::StrCat("Geometric means: ", WhatTitle(what));
  section.text =
      what == "time"
          ? "Over those of the best single peer of each column; less is better."
          : "Over the peaks of the same peer, then of the leanest of each "
            "workload but glibc.";
  section.header = {""};
  Row counts = {"workloads"};
  Row peers = {"best peer"};
  for (const Json& mean : At(view.analysis(), "means")) {
    section.header.push_back(Text(mean, "scope"));
    counts.push_back(Show(Number(mean, "workloads"), "count"));
    const std::string best = Text(mean, "best_peer");
    peers.push_back(best.empty() ? "-" : best);
  }
  section.rows = {counts, peers};
  for (const Json* const allocator : view.allocators()) {
    const std::string who = Text(*allocator, "key");
    Row row = {who};
    bool any = false;
    for (const Json& mean : At(view.analysis(), "means")) {
      const Json& of = RowOf(mean, who);
      any = any || !of.is_null();
      std::string cell = ShowRatio(Number(of, what));
      if (what == "memory") {
        absl::StrAppend(&cell, " ",
                        ShowRatio(Number(of, "memory_over_leanest")));
      }
      row.push_back(std::move(cell));
    }
    if (any) section.rows.push_back(std::move(row));
  }
  return section;
}

std::vector<Section> BehindSections(const ResultView& view, size_t most) {
  std::vector<Section> sections;
  for (const char* const what : {"time", "memory"}) {
    for (const Json* const allocator : view.allocators()) {
      if (!view.IsOurs(Text(*allocator, "key")) ||
          At(*allocator, "variant") == true) {
        continue;
      }
      const std::string who = Text(*allocator, "key");
      Section section = WithTable(
          absl::StrCat("Where ", who, " is not the ",
                       what == std::string("time") ? "fastest" : "leanest"),
          {"workload", "first", "ratio", "beyond noise"});
      size_t count = 0;
      for (const Json& behind : At(view.analysis(), "behind")) {
        const bool in_time = Text(behind, "metric") == "ns";
        if (Text(behind, "allocator") != who ||
            in_time != (what == std::string("time"))) {
          continue;
        }
        if (++count > most) continue;
        section.rows.push_back(
            {Text(behind, "workload"), Text(behind, "first"),
             ShowRatio(Number(behind, "ratio")),
             At(behind, "beyond_noise") == true ? "yes" : "no"});
      }
      if (count == 0) {
        section.header.clear();
        section.text = "In no workload.";
      } else {
        section.text = absl::StrCat(count, " of ", view.workloads().size(),
                                    " workloads, the worst first");
        if (count > most)
          absl::StrAppend(&section.text, ": ", most, " of them");
        section.text += ".";
      }
      sections.push_back(std::move(section));
    }
  }
  return sections;
}

std::vector<Section> CurveSections(const ResultView& view) {
  std::vector<Section> sections;
  for (const Json& curve : At(view.analysis(), "curves")) {
    std::set<double> places;
    for (const Json& line : At(curve, "lines")) {
      for (const Json& point : At(line, "points")) {
        places.insert(point[0].get<double>());
      }
    }
    Section section = WithTable(Text(curve, "title"), {Text(curve, "x_title")});
    section.text = "In ns.";
    for (const double x : places) section.header.push_back(Show(x, "count"));
    for (const Json& line : At(curve, "lines")) {
      Row row = {Text(line, "allocator")};
      for (const double x : places) {
        std::string cell = "-";
        for (const Json& point : At(line, "points")) {
          if (point[0].get<double>() != x) continue;
          cell = absl::StrFormat("%.1f", point[1].get<double>());
        }
        row.push_back(std::move(cell));
      }
      section.rows.push_back(std::move(row));
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

std::vector<Section> KindSections(const ResultView& view,
                                  const std::string& what) {
  std::vector<std::string> columns;
  for (const Json* const allocator : view.allocators()) {
    if (Text(*allocator, "role") == "floor" ||
        At(*allocator, "variant") == true) {
      continue;
    }
    columns.push_back(Text(*allocator, "key"));
  }
  std::vector<Section> sections;
  for (const Json& kind : At(view.result(), "kinds")) {
    Section section =
        WithTable(absl::StrCat(Text(kind, "title"), ": ",
                               what == "time" ? "time over the fastest peer's"
                                              : "peak over the leanest's"),
                  {"workload"});
    section.header.insert(section.header.end(), columns.begin(), columns.end());
    bool any = false;
    for (const Json* const workload : view.workloads()) {
      if (Text(*workload, "kind") != Text(kind, "key")) continue;
      Row row = {Text(*workload, "key")};
      for (const std::string& who : columns) {
        const auto ratio = Number(
            view.Cell(row[0], who),
            what == "time" ? "time_over_fastest" : "memory_over_leanest");
        any = any || ratio.has_value();
        row.push_back(ShowRatio(ratio));
      }
      section.rows.push_back(std::move(row));
    }
    // Where glibc is the only peer there is no leanest.
    if (any) sections.push_back(std::move(section));
  }
  return sections;
}

std::vector<Section> CounterSections(const ResultView& view) {
  std::vector<Section> sections;
  for (const Json* const workload : view.workloads()) {
    const std::string key = Text(*workload, "key");
    Section section = WithTable(
        absl::StrCat("HAKMEM's own figures: ", Text(*workload, "title")), {""});
    std::vector<std::string> ours;
    for (const Json* const allocator : view.allocators()) {
      const std::string who = Text(*allocator, "key");
      if (view.IsOurs(who) && !view.Cell(key, who).is_null()) {
        ours.push_back(who);
      }
    }
    section.header.insert(section.header.end(), ours.begin(), ours.end());
    for (const Json& metric : At(view.result(), "metrics")) {
      if (At(metric, "own") != true) continue;
      Row row = {Text(metric, "title")};
      bool any = false;
      for (const std::string& who : ours) {
        const auto value = view.Value(key, who, Text(metric, "key"));
        any = any || value.has_value();
        row.push_back(Show(value, Text(metric, "unit")));
      }
      if (any) section.rows.push_back(std::move(row));
    }
    if (!section.rows.empty()) sections.push_back(std::move(section));
  }
  return sections;
}

Section AgainstSection(const ResultView& view) {
  const Json& against = At(view.analysis(), "against");
  Section section;
  if (against.is_null()) return section;
  section = WithTable(absl::StrCat("Against ", Text(against, "file")),
                      {"workload", "allocator", "metric", "before", "after",
                       "ratio", "verdict"});
  size_t worse = 0;
  size_t better = 0;
  for (const Json& row : At(against, "rows")) {
    const std::string verdict = Text(row, "verdict");
    if (verdict == "same") continue;
    ++(verdict == "worse" ? worse : better);
    const std::string unit = view.UnitOf(Text(row, "metric"));
    section.rows.push_back(
        {Text(row, "workload"), Text(row, "allocator"), Text(row, "metric"),
         Show(Number(row, "before"), unit), Show(Number(row, "after"), unit),
         row.contains("fails") ? "FAILED" : ShowRatio(Number(row, "ratio")),
         verdict});
  }
  if (section.rows.empty()) section.header.clear();
  const double drift = Number(against, "drift").value_or(1);
  const std::vector<std::string> by =
      At(against, "normalised_by").get<std::vector<std::string>>();
  section.text = absl::StrFormat(
      "Of %d figures of HAKMEM's %d are worse and %d better beyond the noise.",
      At(against, "rows").size(), worse, better);
  if (by.empty()) {
    section.text +=
        " Nobody else took part in both runs: a change of the "
        "machine shows as one of HAKMEM.";
  } else {
    absl::StrAppendFormat(
        &section.text,
        " As %s show, the machine itself takes %.3f times as long as then: "
        "that is taken out of the ratios.",
        absl::StrJoin(by, ", "), drift);
  }
  if (At(against, "other_machine") == true) {
    section.text += " It is from another machine.";
  }
  return section;
}

Section AbsentSection(const ResultView& view) {
  Section section = WithTable("Not here", {"", "why"});
  section.is_list = true;
  for (const Json& each : At(view.result(), "allocators")) {
    if (!each.contains("absent")) continue;
    section.rows.push_back({Text(each, "key"), Text(each, "absent")});
  }
  for (const Json& each : At(view.result(), "workloads")) {
    if (!each.contains("absent")) continue;
    section.rows.push_back({Text(each, "key"), Text(each, "absent")});
  }
  return section;
}

Section FailuresSection(const ResultView& view) {
  Section section = WithTable("Failures", {"", "workload", "why"});
  section.is_list = true;
  for (const Json& sample : At(view.result(), "samples")) {
    if (!sample.contains("failure")) continue;
    section.rows.push_back({absl::StrCat("FAILED: ", Text(sample, "allocator")),
                            Text(sample, "workload"), Text(sample, "failure")});
  }
  return section;
}

Section CriteriaSection(const ResultView& view) {
  Section section = WithTable("Goals of the project", {"goal", "limit"});
  const Json& criteria = At(view.analysis(), "criteria");
  std::vector<std::string> scopes;
  for (const Json& criterion : criteria) {
    const std::string scope = Text(criterion, "scope");
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) {
      scopes.push_back(scope);
    }
  }
  if (!criteria.empty()) {
    for (const Json& value : At(criteria[0], "values")) {
      section.header.push_back(Text(value, "allocator"));
    }
  }
  for (const std::string& scope : scopes) {
    section.rows.push_back({scope});
    for (const Json& criterion : criteria) {
      if (Text(criterion, "scope") != scope) continue;
      Row row = {absl::StrCat("  ", Text(criterion, "goal")),
                 LimitText(criterion)};
      for (const Json& value : At(criterion, "values")) {
        const auto number = Number(value, "value");
        row.push_back(
            number.has_value()
                ? absl::StrCat(Show(number, Text(criterion, "unit")),
                               At(value, "met") == true ? " yes" : " no")
                : "-");
      }
      section.rows.push_back(std::move(row));
    }
  }
  return section;
}

Section ProvenanceSection(const ResultView& view) {
  Section section = WithTable("Where this was measured", {"", "what"});
  const Json& machine = At(view.result(), "machine");
  for (const char* const key :
       {"cpu", "caches", "system", "kernel", "huge_pages"}) {
    section.rows.push_back({key, Text(machine, key)});
  }
  section.rows.push_back({"cores", Show(Number(machine, "cores"), "count")});
  section.rows.push_back(
      {"memory", Show(Number(machine, "memory_bytes"), "bytes")});
  section.rows.push_back(
      {"load at start",
       absl::StrFormat("%.2f", Number(machine, "load_at_start").value_or(0))});
  section.rows.push_back({"started", Text(view.result(), "started")});
  for (const Json* const allocator : view.allocators()) {
    section.rows.push_back(
        {Text(*allocator, "key"), Text(*allocator, "version")});
  }
  return section;
}

}  // namespace hakmem::bench
