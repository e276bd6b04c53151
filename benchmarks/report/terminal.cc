#include "benchmarks/report/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "benchmarks/report/chart.h"
#include "benchmarks/report/sections.h"
#include "tools/text/table.h"

namespace hakmem::bench {
namespace {

using tools::DisplayWidth;
using tools::PadRight;
using tools::Table;

constexpr size_t kWidth = 80;
// A table for each workload, up to so many; then tables by kind.
constexpr size_t kFewWorkloads = 12;
constexpr size_t kMostBehind = 10;
// HAKMEM's own figures, up to so many workloads.
constexpr size_t kFewCounters = 4;

constexpr char kBold[] = "\033[1m";
constexpr char kOurs[] = "\033[36m";
constexpr char kGood[] = "\033[32m";
constexpr char kBad[] = "\033[31m";
constexpr char kPlain[] = "\033[0m";

// `text` in lines of at most kWidth columns.
std::string Wrapped(std::string_view text) {
  std::string out;
  size_t column = 0;
  for (const std::string_view word :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const size_t width = DisplayWidth(word);
    if (column != 0 && column + 1 + width > kWidth) {
      out += "\n";
      column = 0;
    }
    if (column != 0) out += " ";
    column += (column != 0) + width;
    absl::StrAppend(&out, word);
  }
  return out;
}

class Writer {
 public:
  Writer(const ResultView& view, const TerminalStyle& style)
      : view_(view), style_(style) {}

  void Add(const std::string& text) { absl::StrAppend(&out_, text); }

  void AddSections(const std::vector<Section>& sections) {
    for (const Section& section : sections) AddSection(section);
  }

  // Nothing of one that has neither text nor rows.
  void AddSection(const Section& section) {
    if (section.rows.empty() && section.text.empty()) return;
    Add(absl::StrCat("\n", Coloured(kBold, section.title), "\n"));
    if (!section.text.empty()) Add(Wrapped(section.text) + "\n");
    if (section.is_list) {
      for (const auto& row : section.rows) {
        Add(Wrapped(absl::StrJoin(row, ": ")) + "\n");
      }
    } else if (!section.rows.empty()) {
      Add(absl::StrCat("\n", TableText(section)));
    }
  }

  // Time and memory as bars side by side.
  void AddBars(const Section& section) {
    if (section.rows.empty()) return;
    constexpr size_t kBar = 20;
    double most = 0;
    size_t names = 0;
    for (const auto& row : section.rows) {
      for (const size_t i : {1, 2}) most = std::max(most, Value(row[i]));
      names = std::max(names, DisplayWidth(row[0]));
    }
    Add(absl::StrCat("\n", Coloured(kBold, section.title), "\n\n"));
    Add(absl::StrCat(PadRight("", names + 2), PadRight("time", kBar + 9),
                     "peak memory\n"));
    for (const auto& row : section.rows) {
      std::string line = absl::StrCat(Name(row[0], names), "  ");
      for (const size_t i : {1, 2}) {
        const std::string bar = absl::StrCat(
            Bar(Value(row[i]), most, kBar, style_.unicode), " ", row[i]);
        absl::StrAppend(&line, i == 1 ? PadRight(bar, kBar + 9) : bar);
      }
      Add(line + "\n");
    }
  }

  std::string Coloured(const char* colour, const std::string& text) const {
    return style_.colour ? absl::StrCat(colour, text, kPlain) : text;
  }

  std::string Take() { return std::move(out_); }

 private:
  static double Value(const std::string& text) {
    double value = 0;
    return absl::SimpleAtod(text, &value) ? value : 0;
  }

  std::string Name(const std::string& key, size_t width) const {
    const std::string padded = PadRight(key, width);
    return view_.IsOurs(key) ? Coloured(kOurs, padded) : padded;
  }

  // With as many of the first columns as fit.
  std::string TableText(const Section& section) const {
    for (size_t columns = section.header.size();; --columns) {
      std::string text = Rendered(section, columns);
      const std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
      if (columns <= 2 ||
          std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
            return DisplayWidth(line) <= kWidth;
          })) {
        return text;
      }
      // Columns of allocators are all there or none: half of a comparison
      // misleads.
      if (std::any_of(section.header.begin(), section.header.end(),
                      [&](const std::string& title) {
                        return !view_.allocator(title).is_null();
                      })) {
        return text;
      }
    }
  }

  std::string Rendered(const Section& section, size_t columns) const {
    const auto begin = section.header.begin();
    Table table({begin, begin + static_cast<std::ptrdiff_t>(columns)});
    for (const auto& row : section.rows) {
      std::vector<std::string> cells(
          row.begin(), row.begin() + static_cast<std::ptrdiff_t>(
                                         std::min(columns, row.size())));
      for (std::string& cell : cells) cell = Styled(cell);
      table.AddRow(std::move(cells));
    }
    return table.Render();
  }

  std::string Styled(const std::string& cell) const {
    if (!style_.colour) return cell;
    if (view_.IsOurs(cell)) return Coloured(kOurs, cell);
    if (absl::EndsWith(cell, " yes") || cell == "better") {
      return Coloured(kGood, cell);
    }
    if (absl::EndsWith(cell, " no") || cell == "worse" ||
        absl::StartsWith(cell, "FAILED")) {
      return Coloured(kBad, cell);
    }
    return cell;
  }

  const ResultView& view_;
  const TerminalStyle style_;
  std::string out_;
};

}  // namespace

TerminalStyle StyleOfStdout() {
  const auto text = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  TerminalStyle style;
  style.unicode = TerminalShowsUtf8();
  style.colour = isatty(STDOUT_FILENO) != 0 && text("NO_COLOR").empty() &&
                 text("TERM") != "dumb";
  return style;
}

std::string TerminalReport(const nlohmann::ordered_json& result,
                           const TerminalStyle& style) {
  const ResultView view(result);
  Writer writer(view, style);
  if (view.workloads().empty()) {
    writer.Add("Nothing was measured.\n");
  } else {
    const auto& headline = ResultView::At(view.analysis(), "headline");
    const std::string sentence = ResultView::Text(headline, "sentence");
    writer.Add(writer.Coloured(kBold, "Should I switch?") + "\n");
    writer.Add(Wrapped(sentence.empty()
                           ? "There is no comparison without one of HAKMEM's "
                             "back-ends and another allocator."
                           : sentence) +
               "\n");
    writer.AddBars(BarsSection(view));
    writer.AddSection(AgainstSection(view));
    if (view.workloads().size() <= kFewWorkloads) {
      writer.AddSections(WorkloadSections(view));
      writer.Add("\n" + Wrapped(ColumnsLegend(view)) + "\n");
      if (view.workloads().size() <= kFewCounters) {
        writer.AddSections(CounterSections(view));
      }
    } else {
      writer.AddSections(KindSections(view, "time"));
      writer.AddSections(KindSections(view, "memory"));
      writer.AddSection(MeansSection(view, "time"));
      writer.AddSections(BehindSections(view, kMostBehind));
      writer.AddSections(CurveSections(view));
    }
  }
  writer.AddSection(AbsentSection(view));
  writer.AddSection(FailuresSection(view));
  writer.AddSection(CriteriaSection(view));
  return writer.Take();
}

}  // namespace hakmem::bench
