#include "benchmarks/bench_json.h"

#include <utility>
#include <vector>

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/report_json.h"

namespace hakmem::bench {
namespace {

// Levels that stand on lines of their own: the document, its cases, a case, its
// results.
constexpr int kLevels = 4;

// What a sample says beyond what its case says: numbers, and the series.
Json SampleJson(const Sample& sample, const Case& where) {
  Json json;
  json.Set("operations", sample.operations);
  json.Set("wall_ns", sample.wall_ns);
  json.Set("cpu_ns", sample.cpu_ns);
  json.Set("peak_rss_kib", sample.peak_rss_kib);
  json.Set("minor_faults", sample.minor_faults);
  const auto set = [&](const char* key, std::optional<double> value) {
    if (value.has_value()) json.Set(key, *value);
  };
  set("internal_waste", sample.internal_waste);
  set("resident_before_kib", sample.resident_before_kib);
  set("resident_after_kib", sample.resident_after_kib);
  set("live_after_kib", sample.live_after_kib);
  // Where the worker took another number than the case has.
  if (static_cast<uint64_t>(sample.threads) != where.threads) {
    json.Set("threads", sample.threads);
  }
  if (!sample.series.empty()) json.Set("series", sample.raw["series"]);
  return json;
}

Json CellJson(const Results& results, const Comparison& comparison, size_t who,
              size_t a_case) {
  const Summary& summary = *comparison.summary(who);
  Json json;
  json.Set("allocator", results.contenders()[who].name);
  json.Set("ns_per_operation", summary.ns.median);
  json.Set("ns_interval",
           Json::Array{summary.ns.interval.low, summary.ns.interval.high});
  json.Set("peak_rss_kib", summary.peak_rss_kib.median);
  Json::Array samples;
  for (const Sample& sample : results.samples(who, a_case)) {
    samples.push_back(SampleJson(sample, results.cases()[a_case]));
  }
  json.Set("samples", std::move(samples));
  return json;
}

Json CaseJson(const Results& results, size_t a_case) {
  const Case& where = results.cases()[a_case];
  const Comparison comparison(results, a_case);
  Json json;
  json.Set("workload", where.workload);
  json.Set("kind", where.kind);
  if (where.slots != 0) json.Set("slots", where.slots);
  json.Set("threads", where.threads);
  json.Set("time", !where.timed          ? "none"
                   : where.by_cpu_time() ? "cpu"
                                         : "wall");
  if (!results.absence(a_case).empty()) {
    json.Set("absent", results.absence(a_case));
  }
  Json::Array cells;
  for (const size_t who : comparison.Ranking()) {
    cells.push_back(CellJson(results, comparison, who, a_case));
  }
  for (size_t who = 0; who < results.contenders().size(); ++who) {
    if (results.failure(who, a_case).empty()) continue;
    Json cell;
    cell.Set("allocator", results.contenders()[who].name);
    cell.Set("failure", results.failure(who, a_case));
    cells.push_back(std::move(cell));
  }
  json.Set("results", std::move(cells));
  return json;
}

}  // namespace

std::string BenchJson(const Results& results, const Judgement& judgement,
                      const RunInfo& info) {
  Json json = ReportHead(results, info);
  json.Set("effort", info.effort);
  json.Set("usable_cores", results.cores());
  Json::Array cases;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    cases.push_back(CaseJson(results, c));
  }
  json.Set("cases", std::move(cases));
  json.Set("criteria", CriteriaJson(results, judgement));
  return json.Dump(1, kLevels) + "\n";
}

}  // namespace hakmem::bench
