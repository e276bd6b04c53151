#include "benchmarks/report_html.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/analysis/comparison.h"
#include "benchmarks/html_parts.h"
#include "benchmarks/page_text.h"
#include "benchmarks/report/table.h"
#include "benchmarks/report_text.h"
#include "benchmarks/svg_chart.h"

namespace hakmem::bench {
namespace {

std::string CaseSection(const Results& results, size_t a_case) {
  const Case& where = results.cases()[a_case];
  const Comparison comparison(results, a_case);
  std::vector<SvgBar> throughput;
  std::vector<SvgBar> above_floor;
  HtmlTable table({"", "M ops/s", "quartiles", "ns/op", "above floor",
                   "x glibc", "x best peer", "cycles/op", "peak RSS",
                   "page faults"});
  for (const size_t who : comparison.Ranking()) {
    const Contender& contender = results.contenders()[who];
    const Summary& summary = *comparison.summary(who);
    const std::string css_class = CssClass(contender.kind);
    throughput.push_back({contender.name, css_class, summary.mops.median,
                          summary.mops.low, summary.mops.high, 1});
    if (const auto above = comparison.AboveFloor(who)) {
      above_floor.push_back(
          {contender.name, css_class, *above, *above, *above, 2});
    }
    table.AddRow(
        css_class,
        {{contender.name},
         {Cell(summary.mops.median, 1)},
         {absl::StrFormat("%.1f to %.1f", summary.mops.low, summary.mops.high)},
         {Cell(summary.ns.median, 2)},
         {Cell(comparison.AboveFloor(who), 2)},
         {Cell(comparison.AgainstGlibc(who), 2)},
         {Cell(comparison.AgainstBestPeer(who), 2)},
         {Cell(summary.cycles, 1)},
         {absl::StrFormat("%.1f MiB", summary.peak_rss_kib.median / 1024)},
         {Cell(summary.minor_faults, 0)}});
  }
  return absl::StrCat(
      "<h2>", EscapeHtml(where.Name()), "</h2>\n<p class=\"soft\">",
      where.by_cpu_time() ? "CPU" : "Wall", " time, medians of ",
      comparison.repeats(), " runs.</p>\n<div class=\"charts\">\n",
      SvgBarChart("Throughput", "million steps per second, higher is better",
                  throughput),
      SvgBarChart("Above the floor", "nanoseconds per step, lower is better",
                  above_floor),
      "</div>\n", table.Render());
}

std::string DegradationSection(const Results& results, uint64_t few,
                               uint64_t many) {
  std::set<uint64_t> threads;
  for (const Case& a_case : results.cases()) threads.insert(a_case.threads);
  std::string charts;
  for (const uint64_t count : threads) {
    std::vector<SvgBar> bars;
    for (size_t i = 0; i < results.contenders().size(); ++i) {
      const auto factor = Degradation(results, i, few, many, count);
      if (!factor.has_value()) continue;
      const Contender& contender = results.contenders()[i];
      bars.push_back({contender.name, CssClass(contender.kind), *factor,
                      *factor, *factor, 2});
    }
    charts +=
        SvgBarChart(absl::StrCat(count, count == 1 ? " thread" : " threads"),
                    "factor, lower is better, 1 means nothing lost", bars);
  }
  return absl::StrFormat(
      "<h2>What a larger working set costs</h2>\n<p>Throughput with %d slots "
      "divided by throughput with %d.</p>\n<div class=\"charts\">\n%s</div>\n",
      few, many, charts);
}

std::string BooksSection(const Results& results) {
  HtmlTable table({"", "chunks", "slabs", "lookup, cycles", "live, MiB",
                   "committed, MiB", "fragmentation", "fallbacks", "faults",
                   "libc bytes"});
  bool any = false;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (const size_t who : Variants(results)) {
      const auto summary = results.Summarize(who, c);
      if (!summary.has_value() || !summary->books.has_value()) continue;
      any = true;
      const Books& books = *summary->books;
      table.AddRow(
          "ours",
          {{absl::StrCat(results.contenders()[who].name, ", ",
                         results.cases()[c].Name())},
           {Cell(books.chunks, 0)},
           {Cell(books.slabs, 0)},
           {Cell(books.lookup_cycles, 1)},
           {Cell(books.slab_live / (1 << 20), 2)},
           {Cell(books.slab_committed / (1 << 20), 2)},
           {summary->fragmentation.has_value()
                ? absl::StrFormat("%.1f %%", *summary->fragmentation * 100)
                : "-"},
           {Cell(books.fallbacks, 0)},
           {Cell(books.free_list_faults, 0)},
           {Cell(summary->libc_malloc_bytes, 0)}});
    }
  }
  if (!any) return "";
  return "<h2>HAKMEM's own counters</h2>\n<p>Read while the working set was "
         "live. Chunks are SuperSlabs or segments; fragmentation is the part "
         "of the slabs' committed memory that holds no live block; fallbacks "
         "are requests that another allocator had to serve; faults are free "
         "lists that did not agree with the books; libc bytes are held by "
         "libc's own malloc, which a preloaded allocator replaces.</p>\n" +
         table.Render();
}

std::string MissesSection(const Results& results) {
  const std::string refusal = PerfRefusal(results);
  std::string html = "<h2>Cache and TLB misses</h2>\n";
  if (!refusal.empty()) {
    return absl::StrCat(html,
                        "<p>Not available here: the kernel refuses to "
                        "count them (",
                        EscapeHtml(refusal), ").</p>\n");
  }
  HtmlTable table({"", "cache misses/op", "dTLB misses/op", "instructions/op"});
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      const auto summary = results.Summarize(who, c);
      if (!summary.has_value()) continue;
      table.AddRow(CssClass(results.contenders()[who].kind),
                   {{absl::StrCat(results.contenders()[who].name, ", ",
                                  results.cases()[c].Name())},
                    {Cell(summary->cache_misses, 4)},
                    {Cell(summary->dtlb_misses, 4)},
                    {Cell(summary->instructions, 1)}});
    }
  }
  return html + table.Render();
}

}  // namespace

std::string HtmlReport(const Results& results, const Judgement& judgement,
                       const RunInfo& info) {
  std::string html = PageHead("HAKMEM: random-mixed");
  html += "<h1>Random-mixed: what each allocator costs</h1>\n";
  html += kPageIntroduction;
  html += VerdictSection(results, judgement);
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (Comparison(results, c).repeats() != 0) html += CaseSection(results, c);
  }
  const uint64_t few = results.cases().front().slots;
  const uint64_t many = results.cases().back().slots;
  if (few != many) html += DegradationSection(results, few, many);
  html += BooksSection(results);
  html += MissesSection(results);
  html += ProvenanceSection(results, info);
  return html + kPageEnd;
}

}  // namespace hakmem::bench
