#include "benchmarks/report/markdown.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "benchmarks/report/sections.h"

namespace hakmem::bench {
namespace {

// Text in which nothing is markup.
std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"<", "&lt;"}, {"|", "\\|"}, {"\n", " "}});
}

void AddRow(std::vector<std::string> cells, size_t columns, std::string& text) {
  cells.resize(columns);
  text += "|";
  for (const std::string& cell : cells) {
    absl::StrAppend(&text, " ", Escape(cell), " |");
  }
  text += "\n";
}

void Add(const Section& section, std::string& text) {
  if (section.rows.empty() && section.text.empty()) return;
  absl::StrAppend(&text, "\n## ", Escape(section.title), "\n");
  if (!section.text.empty()) {
    absl::StrAppend(&text, "\n", Escape(section.text), "\n");
  }
  if (section.rows.empty()) return;
  text += "\n";
  AddRow(section.header, section.header.size(), text);
  for (size_t i = 0; i < section.header.size(); ++i) {
    text += i == 0 ? "|:--|" : "--:|";
  }
  text += "\n";
  for (const std::vector<std::string>& row : section.rows) {
    AddRow(row, section.header.size(), text);
  }
}

void AddAll(const std::vector<Section>& sections, std::string& text) {
  for (const Section& section : sections) Add(section, text);
}

// "./bazelw run //benchmarks:compare -- --suite=full", of a command line.
std::string BazelCommand(const std::string& command) {
  const size_t space = command.find(' ');
  std::string text =
      absl::StrCat("./bazelw run //benchmarks:", command.substr(0, space));
  if (space != std::string::npos && space + 1 < command.size()) {
    absl::StrAppend(&text, " -- ", command.substr(space + 1));
  }
  return text;
}

}  // namespace

std::string MarkdownReport(const nlohmann::ordered_json& result) {
  const ResultView view(result);
  const auto& suite = ResultView::At(result, "suite");
  std::string text = absl::StrCat(
      "# HAKMEM beside its peers: ", ResultView::Text(suite, "title"), "\n\n",
      "Made by `", BazelCommand(ResultView::Text(result, "command")), "`.\n\n");
  const std::string sentence =
      ResultView::Text(ResultView::At(view.analysis(), "headline"), "sentence");
  if (!sentence.empty()) absl::StrAppend(&text, Escape(sentence), "\n");
  Add(BarsSection(view), text);
  Add(AgainstSection(view), text);
  Add(MeansSection(view, "time"), text);
  Add(MeansSection(view, "memory"), text);
  AddAll(BehindSections(view, SIZE_MAX), text);
  AddAll(CurveSections(view), text);
  AddAll(WorkloadSections(view), text);
  Add({.title = "What the columns mean",
       .text = ColumnsLegend(view),
       .header = {},
       .rows = {}},
      text);
  if (view.workloads().size() <= 12) AddAll(CounterSections(view), text);
  Add(ProvenanceSection(view), text);
  Add(AbsentSection(view), text);
  Add(FailuresSection(view), text);
  Add(CriteriaSection(view), text);
  return text;
}

}  // namespace hakmem::bench
