#include "benchmarks/report_text.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/analysis/comparison.h"
#include "benchmarks/criteria.h"
#include "benchmarks/report/chart.h"
#include "benchmarks/report/table.h"
#include "benchmarks/text_parts.h"

namespace hakmem::bench {
namespace {

std::string Percent(std::optional<double> part) {
  return part.has_value() ? absl::StrFormat("%.1f %%", *part * 100) : "-";
}

std::string Mebibytes(double bytes) {
  return absl::StrFormat("%.2f MiB", bytes / (1 << 20));
}

// The main table of one case.
std::string TimeTable(const Results& results, size_t a_case) {
  const Case& where = results.cases()[a_case];
  const Comparison comparison(results, a_case);
  std::string out = absl::StrFormat(
      "%s: %s time, medians of %d runs, [quartiles]\n\n", where.Name(),
      where.by_cpu_time() ? "CPU" : "wall", comparison.repeats());
  Table table({"", "M ops/s", "[quartiles]", "ns/op", "above floor", "x glibc",
               "x best peer", "cycles/op", "peak RSS", "faults"});
  for (const size_t who : comparison.Ranking()) {
    const Summary& summary = *comparison.summary(who);
    table.AddRow(
        {results.contenders()[who].name, Cell(summary.mops.median, 1),
         absl::StrFormat("[%.1f..%.1f]", summary.mops.low, summary.mops.high),
         Cell(summary.ns.median, 2), Cell(comparison.AboveFloor(who), 2),
         Cell(comparison.AgainstGlibc(who), 2),
         Cell(comparison.AgainstBestPeer(who), 2), Cell(summary.cycles, 1),
         absl::StrFormat("%.1f MiB", summary.peak_rss_kib.median / 1024),
         Cell(summary.minor_faults, 0)});
  }
  return out + table.Render();
}

// Two bars per contender: throughput, and cost above the floor.
std::string BarChart(const Results& results, size_t a_case, bool unicode) {
  static constexpr size_t kWidth = 24;
  const Comparison comparison(results, a_case);
  double most_mops = 0;
  double most_ns = 0;
  size_t name_width = 0;
  for (const size_t who : comparison.Ranking()) {
    most_mops = std::max(most_mops, comparison.summary(who)->mops.median);
    most_ns = std::max(most_ns, comparison.AboveFloor(who).value_or(0));
    name_width = std::max(name_width, results.contenders()[who].name.size());
  }
  std::string out = absl::StrCat(
      results.cases()[a_case].Name(), "\n", PadRight("", name_width + 2),
      PadRight("M ops/s (longer is better)", kWidth + 10),
      "ns above the floor (shorter is better)\n");
  for (const size_t who : comparison.Ranking()) {
    const double mops = comparison.summary(who)->mops.median;
    const auto above = comparison.AboveFloor(who);
    const std::string left = absl::StrCat(Bar(mops, most_mops, kWidth, unicode),
                                          absl::StrFormat(" %.1f", mops));
    const std::string right =
        above.has_value() ? absl::StrCat(Bar(*above, most_ns, kWidth, unicode),
                                         absl::StrFormat(" %.2f", *above))
                          : "";
    std::string line =
        absl::StrCat(PadRight(results.contenders()[who].name, name_width + 2),
                     PadRight(left, kWidth + 10), right);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&out, line, "\n");
  }
  return out;
}

std::string DegradationTable(const Results& results, uint64_t few,
                             uint64_t many) {
  std::set<uint64_t> threads;
  for (const Case& a_case : results.cases()) threads.insert(a_case.threads);
  std::vector<std::string> header = {""};
  for (const uint64_t count : threads) {
    header.push_back(absl::StrCat(count, count == 1 ? " thread" : " threads"));
  }
  Table table(header);
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    std::vector<std::string> row = {results.contenders()[i].name};
    for (const uint64_t count : threads) {
      row.push_back(Cell(Degradation(results, i, few, many, count), 2));
    }
    table.AddRow(row);
  }
  return absl::StrFormat(
             "Throughput with %d slots over throughput with %d "
             "(1.00: nothing lost)\n\n",
             few, many) +
         table.Render();
}

std::string BooksTable(const Results& results) {
  Table table({"", "chunks", "slabs", "lookup", "live", "committed",
               "fragmentation", "fallbacks", "faults", "libc bytes"});
  bool any = false;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (const size_t who : Variants(results)) {
      const auto summary = results.Summarize(who, c);
      if (!summary.has_value() || !summary->books.has_value()) continue;
      any = true;
      const Books& books = *summary->books;
      table.AddRow({absl::StrCat(results.contenders()[who].name, ", ",
                                 results.cases()[c].Name()),
                    Cell(books.chunks, 0), Cell(books.slabs, 0),
                    absl::StrFormat("%.1f cycles", books.lookup_cycles),
                    Mebibytes(books.slab_live), Mebibytes(books.slab_committed),
                    Percent(summary->fragmentation), Cell(books.fallbacks, 0),
                    Cell(books.free_list_faults, 0),
                    Cell(summary->libc_malloc_bytes, 0)});
    }
  }
  if (!any) return "";
  return "HAKMEM's own counters, while the working set was live (chunks: "
         "SuperSlabs or\nsegments held; fragmentation: the part of the slabs' "
         "committed memory that is\nnot live; faults: of free lists; libc "
         "bytes: held by libc's own malloc)\n\n" +
         table.Render();
}

std::string MissesTable(const Results& results) {
  const std::string refusal = PerfRefusal(results);
  if (!refusal.empty()) {
    return absl::StrCat(
        "Cache and TLB misses per operation: not available "
        "here (perf_event_open: ",
        refusal, ")\n");
  }
  Table table({"", "cache misses/op", "dTLB misses/op", "instructions/op"});
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      const auto summary = results.Summarize(who, c);
      if (!summary.has_value()) continue;
      const auto cell = [](std::optional<double> value, int digits) {
        return value.has_value() ? Cell(value, digits) : "not available here";
      };
      table.AddRow({absl::StrCat(results.contenders()[who].name, ", ",
                                 results.cases()[c].Name()),
                    cell(summary->cache_misses, 4),
                    cell(summary->dtlb_misses, 4),
                    cell(summary->instructions, 1)});
    }
  }
  return "Hardware events, user code only\n\n" + table.Render();
}

}  // namespace

std::string PerfRefusal(const Results& results) {
  std::string why = "no sample";
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      for (const Sample& sample : results.samples(who, c)) {
        if (sample.cache_misses.has_value() || sample.dtlb_misses.has_value() ||
            sample.instructions.has_value()) {
          return "";
        }
        why = sample.raw["perf_error"].text();
      }
    }
  }
  return why;
}

std::string TextReport(const Results& results, const Judgement& judgement,
                       bool unicode) {
  std::vector<std::string> parts;
  std::vector<size_t> measured;  // cases that have something to show
  for (size_t c = 0; c < results.cases().size(); ++c) {
    if (Comparison(results, c).repeats() != 0) measured.push_back(c);
  }
  if (measured.empty()) return "Nothing was measured.\n";
  for (const size_t c : measured) parts.push_back(TimeTable(results, c));
  parts.push_back(
      "The floor is the same loop with an inlined list per size: what the "
      "loop costs. \"Above floor\"\nis what the allocator costs. The best peer "
      "is the fastest here that is not HAKMEM.\n");
  const uint64_t few = results.cases().front().slots;
  const uint64_t many = results.cases().back().slots;
  if (few != many) parts.push_back(DegradationTable(results, few, many));
  parts.push_back(BooksTable(results));
  parts.push_back(MissesTable(results));
  for (const size_t c : measured) {
    parts.push_back(BarChart(results, c, unicode));
  }
  parts.push_back(VerdictTable(results, judgement));
  parts.push_back(FailureLines(results));
  std::erase(parts, "");
  return absl::StrJoin(parts, "\n");
}

}  // namespace hakmem::bench
