#include "benchmarks/report_json.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "benchmarks/analysis/comparison.h"

namespace hakmem::bench {
namespace {

// By Contender::Kind.
constexpr const char* kKinds[] = {"floor", "variant", "glibc", "peer"};

Json Number(std::optional<double> value) {
  return value.has_value() ? Json(*value) : Json();
}

Json SpreadJson(const Spread& spread) {
  Json json;
  json.Set("median", spread.median);
  json.Set("quartile_low", spread.low);
  json.Set("quartile_high", spread.high);
  json.Set("runs", spread.count);
  return json;
}

Json ContenderJson(const Results& results, size_t who) {
  const Contender& contender = results.contenders()[who];
  Json json;
  json.Set("name", contender.name);
  json.Set("kind", KindText(contender.kind));
  json.Set("version", contender.version);
  json.Set("library",
           std::filesystem::path(contender.library).filename().string());
  const std::vector<std::string> failures = results.Failures(who);
  json.Set("failure", failures.empty() ? Json() : Json(failures[0]));
  return json;
}

Json CellJson(const Results& results, const Comparison& comparison, size_t who,
              size_t a_case) {
  const Summary& summary = *comparison.summary(who);
  Json json;
  json.Set("allocator", results.contenders()[who].name);
  json.Set("million_operations_per_second", SpreadJson(summary.mops));
  json.Set("ns_per_operation", SpreadJson(summary.ns));
  json.Set("ns_above_floor", Number(comparison.AboveFloor(who)));
  json.Set("throughput_against_glibc", Number(comparison.AgainstGlibc(who)));
  json.Set("throughput_against_best_peer",
           Number(comparison.AgainstBestPeer(who)));
  json.Set("cycles_per_operation", Number(summary.cycles));
  json.Set("peak_rss_kib", summary.peak_rss_kib.median);
  json.Set("peak_rss_kib_spread", SpreadJson(summary.peak_rss_kib));
  json.Set("peak_rss_against_leanest_of_fastest",
           Number(comparison.PeakAgainstLeanest(who)));
  json.Set("minor_faults", summary.minor_faults);
  json.Set("cache_misses_per_operation", Number(summary.cache_misses));
  json.Set("dtlb_misses_per_operation", Number(summary.dtlb_misses));
  json.Set("instructions_per_operation", Number(summary.instructions));
  json.Set("fragmentation", Number(summary.fragmentation));
  json.Set("internal_waste", Number(summary.internal_waste));
  json.Set("resident_before_kib", Number(summary.resident_before_kib));
  json.Set("resident_after_kib", Number(summary.resident_after_kib));
  json.Set("live_after_kib", Number(summary.live_after_kib));
  Json::Array samples;
  for (const Sample& sample : results.samples(who, a_case)) {
    samples.push_back(sample.raw);
  }
  json.Set("samples", std::move(samples));
  return json;
}

Json CaseJson(const Results& results, size_t a_case) {
  const Case& where = results.cases()[a_case];
  const Comparison comparison(results, a_case);
  Json json;
  json.Set("workload",
           where.workload.empty() ? "random-mixed" : where.workload);
  if (where.workload.empty()) json.Set("slots", where.slots);
  json.Set("threads", where.threads);
  json.Set("time", where.by_cpu_time() ? "cpu" : "wall");
  Json::Array cells;
  for (const size_t who : comparison.Ranking()) {
    cells.push_back(CellJson(results, comparison, who, a_case));
  }
  json.Set("results", std::move(cells));
  return json;
}

}  // namespace

const char* KindText(Contender::Kind kind) { return kKinds[kind]; }

std::optional<Contender::Kind> KindFromText(std::string_view text) {
  for (const Contender::Kind kind : {Contender::kFloor, Contender::kVariant,
                                     Contender::kGlibc, Contender::kPeer}) {
    if (text == KindText(kind)) return kind;
  }
  return std::nullopt;
}

Json ReportHead(const Results& results, const RunInfo& info) {
  Json json;
  json.Set("suite", info.suite);
  json.Set("command", info.command);
  Json machine;
  for (const auto& [label, value] : info.machine) {
    machine.Set(label, value);
  }
  json.Set("machine", std::move(machine));
  Json::Array contenders;
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    contenders.push_back(ContenderJson(results, i));
  }
  json.Set("allocators", std::move(contenders));
  json.Set("absent", Json::Array(info.absent.begin(), info.absent.end()));
  return json;
}

Json CriteriaJson(const Results& results, const Judgement& judgement) {
  Json::Array list;
  for (const Criterion& criterion : judgement.criteria()) {
    for (size_t i = 0; i < judgement.judged().size(); ++i) {
      const Verdict& verdict = criterion.verdicts[i];
      Json json;
      json.Set("asked", criterion.asked);
      if (criterion.threads != 0) json.Set("threads", criterion.threads);
      json.Set("allocator", results.contenders()[judgement.judged()[i]].name);
      json.Set("measured", Number(verdict.measured));
      json.Set("limit", Number(verdict.limit));
      json.Set("reached", verdict.reached);
      list.push_back(std::move(json));
    }
  }
  return list;
}

Json JsonReport(const Results& results, const Judgement& judgement,
                const RunInfo& info) {
  Json json = ReportHead(results, info);
  Json::Array cases;
  for (size_t c = 0; c < results.cases().size(); ++c) {
    cases.push_back(CaseJson(results, c));
  }
  json.Set("cases", std::move(cases));
  json.Set("criteria", CriteriaJson(results, judgement));
  return json;
}

std::string JsonText(const Results& results, const Judgement& judgement,
                     const RunInfo& info) {
  return JsonReport(results, judgement, info).Dump(1) + "\n";
}

}  // namespace hakmem::bench
