#include "benchmarks/bench_report.h"

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/analysis/standings.h"
#include "benchmarks/bench_sections.h"
#include "benchmarks/curves.h"
#include "benchmarks/document.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {
namespace {

// Of the tables of one workload, in all three reports.
constexpr char kLegend[] =
    "x best: time over that of the fastest allocator that is not HAKMEM's. x "
    "leanest: peak resident memory (RSS) over the lowest of all that are "
    "neither HAKMEM's nor glibc. Floor: the same loop with an inlined list per "
    "size. faults: page faults without I/O. CPU/wall: how many cores were "
    "busy. The interval holds the median with a probability of 95 %; fewer "
    "than six runs have their range. before, after, live: resident memory "
    "before the work and at its end, and what was still allocated then.";

constexpr char kIntroduction[] = R"html(
<p>HAKMEM is a memory allocator (what a program calls for malloc and free) with
two back-ends, <i>segment</i> and <i>superslab</i>. This page sets both beside
the other allocators of one machine, on workloads of six kinds: small blocks on
one thread, several threads, memory held and given back, mid and large blocks,
the start of a program, and whole programs.</p>
<p>Every run is a process of its own on its own allocator; runs of all
allocators are interleaved, and the figures are medians. One thread is measured
in CPU time, several in wall time. Thin lines on bars span the interval of the
median.</p>
<p class="key"><span><i style="background:var(--ours)"></i>HAKMEM</span>
<span><i style="background:var(--peer)"></i>other allocators</span>
<span><i style="background:var(--floor)"></i>the floor (no allocator)</span></p>
)html";

void Append(std::vector<Section> from, std::vector<Section>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()),
            std::make_move_iterator(from.end()));
}

std::vector<Section> SummaryFirst(const Results& results,
                                  const Judgement& judgement) {
  const Standings standings(results);
  std::vector<Section> sections = SummarySections(standings, judgement);
  // What was asked of all before how it came about.
  if (!sections.empty() && sections.back().title == "Asked and reached") {
    Section verdicts = std::move(sections.back());
    sections.pop_back();
    sections.insert(sections.begin(), std::move(verdicts));
  }
  Append(CurveSections(standings), sections);
  Append(WorkloadSections(standings), sections);
  return sections;
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

Section ProvenanceRows(const Results& results, const RunInfo& info) {
  Section section;
  section.title = "Where this was measured";
  section.header = {"", "what"};
  for (const auto& [label, value] : info.machine) {
    section.rows.push_back({{label, value}});
  }
  for (const Contender& contender : results.contenders()) {
    section.rows.push_back({{contender.name, contender.version}});
  }
  for (const std::string& line : info.absent) {
    section.rows.push_back({{"not here", line}});
  }
  return section;
}

}  // namespace

std::string BenchText(const Results& results, const Judgement& judgement,
                      bool unicode) {
  const Standings standings(results);
  std::vector<Section> sections = WorkloadSections(standings);
  if (sections.empty()) {
    std::string text = "Nothing was measured.\n";
    for (size_t c = 0; c < results.cases().size(); ++c) {
      if (results.absence(c).empty()) continue;
      absl::StrAppend(&text, results.cases()[c].Name(), ": ",
                      results.absence(c), "\n");
    }
    return text;
  }
  sections.push_back({"What the columns mean", kLegend});
  Append(CurveSections(standings), sections);
  Append(SummarySections(standings, judgement), sections);
  return SectionsText(sections, unicode);
}

std::string BenchMarkdown(const Results& results, const Judgement& judgement,
                          const RunInfo& info) {
  std::vector<Section> sections = SummaryFirst(results, judgement);
  sections.push_back({"What the columns mean", kLegend});
  sections.insert(sections.begin(), ProvenanceRows(results, info));
  return absl::StrCat("# HAKMEM beside its peers: ", info.suite,
                      "\n\nMade by `", BazelCommand(info.command), "`.\n\n",
                      SectionsMarkdown(sections));
}

std::string BenchHtml(const Results& results, const Judgement& judgement,
                      const RunInfo& info) {
  return absl::StrCat(PageHead(absl::StrCat("HAKMEM: ", info.suite)),
                      "<h1>HAKMEM beside its peers: ", EscapeHtml(info.suite),
                      "</h1>\n", kIntroduction, "<p>", EscapeHtml(kLegend),
                      "</p>\n", SectionsHtml(SummaryFirst(results, judgement)),
                      ProvenanceSection(results, info), kPageEnd);
}

}  // namespace hakmem::bench
