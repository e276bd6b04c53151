#include "benchmarks/analysis/result.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/analysis/criteria.h"
#include "benchmarks/analysis/headline.h"
#include "benchmarks/analysis/ranking.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/metrics.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

using json = nlohmann::ordered_json;

// Whole numbers without a point behind.
json Number(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) {
    return static_cast<int64_t>(value);
  }
  return value;
}

// Adds what there is; what is missing has no key.
void Put(json& object, const char* key, std::optional<double> value) {
  if (value.has_value()) object[key] = Number(*value);
}
void PutText(json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

json MachineJson(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"caches", machine.caches},
          {"memory_bytes", Number(machine.memory_bytes)},
          {"system", machine.system},
          {"kernel", machine.kernel},
          {"huge_pages", machine.huge_pages},
          {"load_at_start", Number(machine.load_at_start)}};
}

json MetricsJson() {
  json all = json::array();
  for (const Metric& metric : Metrics()) {
    all.push_back({{"key", metric.key},
                   {"title", metric.title},
                   {"unit", UnitKey(metric.unit)},
                   {"aggregation", AggregationKey(metric.aggregation)},
                   {"better", BetterKey(metric.better)}});
    PutText(all.back(), "column", metric.column);
    if (metric.own) all.back()["own"] = true;
  }
  return all;
}

const char* RoleKey(Allocator::Role role) {
  switch (role) {
    case Allocator::kFloor:
      return "floor";
    case Allocator::kOurs:
      return "ours";
    case Allocator::kPeer:
      return "peer";
  }
  return "";
}

json AllocatorJson(const Allocator& allocator) {
  json one = {{"key", allocator.key},
              {"title", allocator.title},
              {"role", RoleKey(allocator.role)}};
  if (allocator.is_system) one["system"] = true;
  if (allocator.role == Allocator::kOurs) {
    one["variant"] = !allocator.is_default_variant();
    one["back_end"] = allocator.back_end;
    one["ace"] = allocator.ace;
    one["hardening"] = allocator.hardening;
  }
  PutText(one, "version", allocator.version);
  // Where files lie is nobody's business.
  PutText(one, "library",
          std::filesystem::path(allocator.library).filename().string());
  return one;
}

json AllocatorsJson(const RunInfo& info, const Measurements& measurements) {
  json all = json::array();
  for (const Allocator& allocator : measurements.allocators) {
    all.push_back(AllocatorJson(allocator));
  }
  for (const Absent& absent : info.absent) {
    all.push_back(AllocatorJson(absent.allocator));
    all.back()["absent"] = absent.why;
  }
  return all;
}

json KindsJson() {
  json all = json::array();
  for (const Kind& kind : Kinds()) {
    all.push_back({{"key", kind.key}, {"title", kind.title}});
  }
  return all;
}

const Curve* FindCurve(const std::string& key) {
  for (const Curve& curve : Curves()) {
    if (key == curve.key) return &curve;
  }
  return nullptr;
}

json WorkloadsJson(const Measurements& measurements) {
  json all = json::array();
  for (size_t c = 0; c < measurements.cases.size(); ++c) {
    const Case& a_case = measurements.cases[c];
    json one = {{"key", a_case.key},
                {"title", a_case.title},
                {"kind", a_case.kind},
                {"description",
                 absl::StrCat("An operation is ", a_case.operation, ".")},
                {"threads", a_case.threads}};
    if (a_case.timed) {
      one["time"] = kTime;
      one["clock"] = a_case.threads == 1 ? "cpu"
                     : a_case.per_core   ? "core"
                                         : "wall";
    }
    one["memory"] = kPeak;
    if (!measurements.absences.empty()) {
      PutText(one, "absent", measurements.absences[c]);
    }
    const Curve* const curve = FindCurve(a_case.curve);
    if (curve != nullptr) {
      one["curve"] = {{"key", curve->key},
                      {"x", Number(a_case.x)},
                      {"x_title", curve->x_title}};
    }
    all.push_back(std::move(one));
  }
  return all;
}

json SamplesJson(const Measurements& measurements) {
  json all = json::array();
  for (const Sample& sample : measurements.samples) {
    json one = {{"workload", measurements.cases[sample.a_case].key},
                {"allocator", measurements.allocators[sample.allocator].key},
                {"repeat", sample.repeat}};
    if (!sample.failure.empty()) {
      one["failure"] = sample.failure;
    } else {
      for (const auto& [metric, value] : sample.values) {
        one["values"][metric] = Number(value);
      }
      for (const auto& [live, resident] : sample.series) {
        one["series"].push_back({Number(live), Number(resident)});
      }
    }
    all.push_back(std::move(one));
  }
  return all;
}

class AnalysisWriter {
 public:
  explicit AnalysisWriter(const Cells& cells)
      : cells_(cells), measurements_(cells.measurements()), ranking_(cells) {}

  json Write(const std::string& suite, const Against* against) const {
    json analysis;
    analysis["cells"] = CellsJson();
    const std::optional<Headline> headline = MakeHeadline(ranking_);
    if (headline.has_value()) analysis["headline"] = HeadlineJson(*headline);
    analysis["means"] = MeansJson();
    analysis["behind"] = BehindJson();
    analysis["curves"] = CurvesJson();
    analysis["criteria"] = CriteriaJson(suite);
    if (against != nullptr) analysis["against"] = AgainstJson(*against);
    return analysis;
  }

 private:
  const std::string& Key(size_t who) const {
    return measurements_.allocators[who].key;
  }

  json CellsJson() const {
    json all = json::array();
    for (size_t c = 0; c < measurements_.cases.size(); ++c) {
      for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
        if (cells_.spreads(c, who).empty()) continue;
        json metrics;
        for (const auto& [metric, spread] : cells_.spreads(c, who)) {
          metrics[metric] = {{"value", Number(spread.median)},
                             {"low", Number(spread.interval.low)},
                             {"high", Number(spread.interval.high)},
                             {"samples", spread.count}};
        }
        json one = {{"workload", measurements_.cases[c].key},
                    {"allocator", Key(who)},
                    {"metrics", std::move(metrics)}};
        Put(one, "above_floor_ns", ranking_.AboveFloor(c, who));
        if (ranking_.FastestPeer(c).has_value()) {
          Put(one, "time_over_fastest",
              ranking_.Ratio(c, kTime, who, *ranking_.FastestPeer(c)));
        }
        if (ranking_.LeanestPeer(c).has_value()) {
          Put(one, "memory_over_leanest",
              ranking_.Ratio(c, kPeak, who, *ranking_.LeanestPeer(c)));
        }
        all.push_back(std::move(one));
      }
    }
    return all;
  }

  json BarJson(const Bar& bar) const {
    json one = {{"allocator", Key(bar.allocator)}};
    Put(one, "time", bar.time);
    Put(one, "memory", bar.memory);
    return one;
  }

  json HeadlineJson(const Headline& headline) const {
    json one = {{"allocator", Key(headline.allocator)},
                {"sentence", headline.sentence},
                {"versus", Key(headline.versus)}};
    Put(one, "time", headline.standing.time);
    Put(one, "memory", headline.standing.memory);
    one["bars"] = json::array();
    for (const Bar& bar : headline.bars) one["bars"].push_back(BarJson(bar));
    return one;
  }

  json MeanJson(const std::string& scope,
                const std::vector<size_t>& cases) const {
    json mean = {{"scope", scope}, {"workloads", cases.size()}};
    const std::optional<size_t> best = ranking_.BestSinglePeer(cases);
    if (best.has_value()) mean["best_peer"] = Key(*best);
    mean["rows"] = json::array();
    for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
      if (measurements_.allocators[who].role == Allocator::kFloor) continue;
      Bar bar{who, std::nullopt, std::nullopt};
      if (best.has_value()) {
        bar.time = ranking_.Mean(cases, kTime, who, *best);
        bar.memory = ranking_.Mean(cases, kPeak, who, *best);
      }
      const auto lean = ranking_.MeanOverLeanest(cases, who);
      if (!bar.time.has_value() && !bar.memory.has_value() &&
          !lean.has_value()) {
        continue;
      }
      json row = BarJson(bar);
      Put(row, "memory_over_leanest", lean);
      mean["rows"].push_back(std::move(row));
    }
    return mean;
  }

  json MeansJson() const {
    json all = json::array();
    const std::vector<size_t> every = ranking_.CasesOf({});
    if (!every.empty()) all.push_back(MeanJson("all", every));
    for (const Kind& kind : Kinds()) {
      const std::vector<size_t> cases = ranking_.CasesOf({kind.key});
      if (!cases.empty()) all.push_back(MeanJson(kind.key, cases));
    }
    return all;
  }

  json BehindJson() const {
    json all = json::array();
    for (const char* const metric : {kTime, kPeak}) {
      for (const size_t who : ranking_.judged()) {
        for (const Behind& behind : ranking_.BehindIn(metric, who)) {
          all.push_back({{"allocator", Key(who)},
                         {"metric", metric},
                         {"workload", measurements_.cases[behind.a_case].key},
                         {"first", Key(behind.first)},
                         {"ratio", behind.ratio},
                         {"beyond_noise", behind.beyond_noise}});
        }
      }
    }
    return all;
  }

  json CurvesJson() const {
    json all = json::array();
    for (const Curve& curve : Curves()) {
      json lines = json::array();
      bool is_curve = false;
      for (size_t who = 0; who < measurements_.allocators.size(); ++who) {
        json points = json::array();
        for (size_t c = 0; c < measurements_.cases.size(); ++c) {
          const Spread* const time = cells_.Find(c, who, kTime);
          if (measurements_.cases[c].curve != curve.key || time == nullptr) {
            continue;
          }
          points.push_back({Number(measurements_.cases[c].x), time->median});
        }
        is_curve = is_curve || points.size() > 1;
        if (points.empty()) continue;
        lines.push_back(
            {{"allocator", Key(who)}, {"points", std::move(points)}});
      }
      if (!is_curve) continue;
      all.push_back({{"key", curve.key},
                     {"title", curve.title},
                     {"metric", kTime},
                     {"x_title", curve.x_title},
                     {"lines", std::move(lines)}});
    }
    return all;
  }

  json CriteriaJson(const std::string& suite) const {
    json all = json::array();
    for (const Judged& judged :
         Judge(CriteriaOf(suite, measurements_.cases), ranking_)) {
      const Criterion& criterion = judged.criterion;
      json one = {
          {"title", absl::StrCat(criterion.scope, ": ", criterion.title)},
          {"goal", criterion.title},
          {"metric", absl::StrJoin(criterion.metrics, ",")},
          {"scope", criterion.scope},
          {"unit", CriterionUnit(criterion)},
          {"bound", BoundKey(criterion.bound)},
          {"limit", Number(criterion.limit)},
          {"values", json::array()}};
      for (size_t i = 0; i < judged.verdicts.size(); ++i) {
        json verdict = {{"allocator", Key(ranking_.judged()[i])}};
        Put(verdict, "value", judged.verdicts[i].value);
        verdict["met"] = judged.verdicts[i].met;
        one["values"].push_back(std::move(verdict));
      }
      all.push_back(std::move(one));
    }
    return all;
  }

  // Of the value and the limit.
  static const char* CriterionUnit(const Criterion& criterion) {
    switch (criterion.measure) {
      case Measure::kValue:
      case Measure::kDifference: {
        const Metric* const metric = FindMetric(criterion.metrics[0]);
        return metric == nullptr ? "count" : UnitKey(metric->unit);
      }
      case Measure::kCount:
      case Measure::kCountClear:
        return "count";
      default:
        return "ratio";
    }
  }

  static json AgainstJson(const Against& against) {
    json one = {{"file", against.file},
                {"normalised_by", against.normalised_by}};
    one["drift"] = against.drifts.at(kTime);
    one["drifts"] = against.drifts;
    one["noise"] = against.noise;
    if (against.other_machine) one["other_machine"] = true;
    one["rows"] = json::array();
    for (const AgainstRow& each : against.rows) {
      json row = {{"workload", each.workload},
                  {"allocator", each.allocator},
                  {"metric", each.metric}};
      if (each.fails) {
        row["fails"] = true;
      } else {
        row["before"] = Number(each.before);
        row["after"] = Number(each.after);
        row["ratio"] = each.ratio;
      }
      row["verdict"] = ChangeKey(each.change);
      one["rows"].push_back(std::move(row));
    }
    return one;
  }

  const Cells& cells_;
  const Measurements& measurements_;
  const Ranking ranking_;
};

// Objects down to `depth` and all arrays have a line for each member, what is
// deeper has one alone.
void Append(const json& value, int depth, const std::string& indent,
            std::string& text) {
  const bool opens =
      !value.empty() &&
      (value.is_array() ? depth >= 0 : value.is_object() && depth > 0);
  if (!opens) {
    absl::StrAppend(&text,
                    value.dump(-1, ' ', false, json::error_handler_t::replace));
    return;
  }
  const std::string inner = indent + " ";
  absl::StrAppend(&text, value.is_array() ? "[" : "{");
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    absl::StrAppend(&text, first ? "\n" : ",\n", inner);
    if (value.is_object()) absl::StrAppend(&text, json(key).dump(), ": ");
    // What is in a list has a line of its own and no more.
    Append(member, value.is_array() ? -1 : depth - 1, inner, text);
    first = false;
  }
  absl::StrAppend(&text, "\n", indent, value.is_array() ? "]" : "}");
}

}  // namespace

json MakeResult(const RunInfo& info, const Cells& cells,
                const Against* against) {
  const Measurements& measurements = cells.measurements();
  return {{"format", 1},
          {"tool", {{"name", "hakmem-bench"}, {"version", kToolVersion}}},
          {"command", info.command},
          {"suite",
           {{"key", info.suite->key},
            {"title", info.suite->title},
            {"description", info.suite->description}}},
          {"effort", info.effort},
          {"started", info.started},
          {"seconds", std::round(info.seconds * 10) / 10},
          {"interrupted", info.interrupted},
          {"repeats", info.repeats},
          {"machine", MachineJson(info.machine)},
          {"metrics", MetricsJson()},
          {"allocators", AllocatorsJson(info, measurements)},
          {"kinds", KindsJson()},
          {"workloads", WorkloadsJson(measurements)},
          {"samples", SamplesJson(measurements)},
          {"analysis", AnalysisWriter(cells).Write(info.suite->key, against)}};
}

std::string ResultText(const json& result) {
  std::string text;
  Append(result, 3, "", text);
  return text + "\n";
}

}  // namespace hakmem::bench
