// A section per workload (sections.h).
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/report/format.h"
#include "benchmarks/report/sections.h"

namespace hakmem::bench {
namespace {

using Json = ResultView::Json;
using Row = std::vector<std::string>;

constexpr auto Text = &ResultView::Text;
constexpr auto Number = &ResultView::Number;
constexpr auto At = &ResultView::At;

// The metric that stands for time or memory of a workload; empty: none.
std::string MetricFor(const Json& workload, const std::string& what) {
  return Text(workload, what);
}

std::string PerOperation(double nanoseconds, const TimeUnit& unit) {
  return absl::StrFormat("%.2f", nanoseconds / unit.nanoseconds);
}

// Of the workload's fastest.
TimeUnit UnitOfWorkload(const ResultView& view, const Json& workload) {
  double least = INFINITY;
  for (const Json* const allocator : view.allocators()) {
    least = std::min(least,
                     view.Value(Text(workload, "key"), Text(*allocator, "key"),
                                MetricFor(workload, "time"))
                         .value_or(INFINITY));
  }
  return TimeUnitFor(std::isinf(least) ? 0 : least);
}

// Allocators that were measured in the workload, the fastest (or leanest)
// first, the floor last.
std::vector<std::string> Ranked(const ResultView& view, const Json& workload) {
  const std::string key = Text(workload, "key");
  std::string metric = MetricFor(workload, "time");
  if (metric.empty()) metric = MetricFor(workload, "memory");
  std::vector<std::pair<double, std::string>> ranked;
  for (const Json* const allocator : view.allocators()) {
    const std::string who = Text(*allocator, "key");
    const auto value = view.Value(key, who, metric);
    if (!value.has_value()) continue;
    ranked.emplace_back(Text(*allocator, "role") == "floor" ? INFINITY : *value,
                        who);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& left, const auto& right) {
                     return left.first < right.first;
                   });
  std::vector<std::string> keys;
  for (auto& [value, who] : ranked) keys.push_back(std::move(who));
  return keys;
}

std::string Failure(const ResultView& view, const std::string& workload,
                    const std::string& allocator) {
  for (const Json& sample : At(view.result(), "samples")) {
    if (Text(sample, "workload") == workload &&
        Text(sample, "allocator") == allocator && sample.contains("failure")) {
      return Text(sample, "failure");
    }
  }
  return "";
}

// A column of a workload's table.
struct Column {
  std::string title;
  std::function<std::string(const std::string& allocator)> show;
};

// Whether the metric has a column in the table of the workload.
bool HasColumn(const ResultView& view, const Json& metric,
               const std::string& workload,
               const std::vector<std::string>& ranked) {
  return !Text(metric, "column").empty() &&
         std::any_of(ranked.begin(), ranked.end(), [&](const auto& who) {
           return view.Value(workload, who, Text(metric, "key")).has_value();
         });
}

void AddMetricColumns(const ResultView& view, const std::string& workload,
                      const std::vector<std::string>& ranked,
                      std::vector<Column>& columns) {
  for (const Json& metric : At(view.result(), "metrics")) {
    if (!HasColumn(view, metric, workload, ranked)) continue;
    const std::string title = Text(metric, "column");
    const std::string key = Text(metric, "key");
    const std::string unit = Text(metric, "unit");
    columns.push_back({title, [&view, workload, key, unit](const auto& who) {
                         return Show(view.Value(workload, who, key), unit);
                       }});
  }
}

std::vector<Column> ColumnsOf(const ResultView& view, const Json& workload,
                              const std::vector<std::string>& ranked) {
  const std::string key = Text(workload, "key");
  const std::string time = MetricFor(workload, "time");
  const std::string memory = MetricFor(workload, "memory");
  std::vector<Column> columns;
  const auto of_cell = [&view, key](const char* member, const char* format) {
    return [&view, key, member, format](const std::string& who) {
      const auto value = Number(view.Cell(key, who), member);
      const bool is_floor = Text(view.allocator(who), "role") == "floor";
      if (!value.has_value() || is_floor) return std::string("-");
      return absl::StrFormat(*absl::ParsedFormat<'f'>::New(format), *value);
    };
  };
  const TimeUnit unit = UnitOfWorkload(view, workload);
  if (!time.empty()) {
    columns.push_back(
        {absl::StrCat(unit.name, "/op"), [=, &view](const std::string& who) {
           return PerOperation(view.Value(key, who, time).value_or(0), unit);
         }});
    columns.push_back({"x best", of_cell("time_over_fastest", "%.3f")});
  }
  columns.push_back({"peak", [=, &view](const std::string& who) {
                       return Show(view.Value(key, who, memory), "bytes");
                     }});
  columns.push_back({"x lean", of_cell("memory_over_leanest", "%.3f")});
  if (!time.empty()) {
    columns.push_back({"interval", [=, &view](const std::string& who) {
                         const Json& cell = view.Metric(key, who, time);
                         if (Number(cell, "samples") == 1) {
                           return std::string("one run");
                         }
                         return absl::StrCat(
                             PerOperation(*Number(cell, "low"), unit), "..",
                             PerOperation(*Number(cell, "high"), unit));
                       }});
    if (std::any_of(ranked.begin(), ranked.end(), [&](const auto& who) {
          return view.Cell(key, who).contains("above_floor_ns");
        })) {
      columns.push_back({"+floor", of_cell("above_floor_ns", "%.2f")});
    }
  }
  AddMetricColumns(view, key, ranked, columns);
  return columns;
}

std::string ClockText(const Json& workload) {
  const std::string clock = Text(workload, "clock");
  if (clock == "cpu") return "CPU time";
  return clock == "core" ? "Time of a core" : "Wall time";
}

}  // namespace

std::string ColumnsLegend(const ResultView& view) {
  std::string text =
      "Medians over the runs. x best: time over that of the fastest allocator "
      "that is not HAKMEM's. x lean: peak resident memory over the lowest of "
      "all that are neither HAKMEM's nor glibc. interval: holds the median in "
      "95 of 100 cases; fewer than six runs have their range. +floor: "
      "nanoseconds above the floor, which is the same loop with an inlined "
      "list per size.";
  for (const Json& metric : At(view.result(), "metrics")) {
    if (std::any_of(view.workloads().begin(), view.workloads().end(),
                    [&](const Json* workload) {
                      return HasColumn(view, metric, Text(*workload, "key"),
                                       Ranked(view, *workload));
                    })) {
      absl::StrAppend(&text, " ", Text(metric, "column"), ": ",
                      Text(metric, "title"), ".");
    }
  }
  return text;
}

std::vector<Section> WorkloadSections(const ResultView& view) {
  std::vector<Section> sections;
  for (const Json* const workload : view.workloads()) {
    const std::string key = Text(*workload, "key");
    const std::vector<std::string> ranked = Ranked(view, *workload);
    const std::vector<Column> columns = ColumnsOf(view, *workload, ranked);
    Section section;
    section.title =
        absl::StrCat(Text(*workload, "kind"), ": ", Text(*workload, "title"));
    section.header = {""};
    section.text = MetricFor(*workload, "time").empty()
                       ? "Memory alone. "
                       : absl::StrCat(ClockText(*workload), " per operation. ");
    section.text += Text(*workload, "description");
    double runs = 0;
    for (const std::string& who : ranked) {
      const Json& memory =
          view.Metric(key, who, MetricFor(*workload, "memory"));
      runs = std::max(runs, Number(memory, "samples").value_or(0));
    }
    absl::StrAppend(&section.text, " Runs: ", runs, ".");
    for (const Column& column : columns) {
      section.header.push_back(column.title);
    }
    for (const std::string& who : ranked) {
      Row row = {who};
      for (const Column& column : columns) row.push_back(column.show(who));
      section.rows.push_back(std::move(row));
    }
    for (const Json* const allocator : view.allocators()) {
      const std::string who = Text(*allocator, "key");
      if (Failure(view, key, who).empty()) continue;
      Row row(section.header.size(), "-");
      row[0] = who;
      row[1] = "FAILED";
      section.rows.push_back(std::move(row));
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

}  // namespace hakmem::bench
