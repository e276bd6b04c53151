// Reads what bench_json.cc wrote.
#include <cmath>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/bench_json.h"
#include "benchmarks/report_json.h"

namespace hakmem::bench {
namespace {

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// A count; `fallback` when there is none or it is no count.
uint64_t Count(const Json& json, uint64_t fallback) {
  const std::optional<double> number = json.number();
  if (!number.has_value() || !(*number >= 0) || *number > 1e15) return fallback;
  return static_cast<uint64_t>(*number);
}

absl::StatusOr<std::vector<Contender>> ReadContenders(const Json& list) {
  std::vector<Contender> contenders;
  for (const Json& json : list.items()) {
    const auto kind = KindFromText(json["kind"].text());
    Contender contender = {json["name"].text(), Contender::kPeer,
                           json["library"].text(), json["version"].text()};
    if (!kind.has_value() || contender.name.empty()) {
      return Bad("an allocator without a name or kind");
    }
    contender.kind = *kind;
    contenders.push_back(std::move(contender));
  }
  if (contenders.empty()) return Bad("it names no allocators");
  return contenders;
}

absl::StatusOr<std::vector<Case>> ReadCases(const Json& list) {
  std::vector<Case> cases;
  for (const Json& json : list.items()) {
    Case a_case = {Count(json["slots"], 0), Count(json["threads"], 0),
                   json["workload"].text()};
    a_case.kind = json["kind"].text();
    a_case.timed = json["time"].text() != "none";
    if (a_case.workload.empty() || a_case.kind.empty()) {
      return Bad("a case without a workload or kind");
    }
    cases.push_back(std::move(a_case));
  }
  if (cases.empty()) return Bad("it has no cases");
  return cases;
}

// The samples of one contender in one case.
absl::Status ReadCell(const Json& cell, size_t a_case, Results& results) {
  const std::string allocator = cell["allocator"].text();
  const auto who = results.FindContender(allocator);
  const Case& where = results.cases()[a_case];
  if (!who.has_value()) {
    return Bad(absl::StrCat(where.Name(), ": no such allocator: ", allocator));
  }
  results.SetFailure(*who, a_case, cell["failure"].text());
  for (const Json& json : cell["samples"].items()) {
    Json full = json;
    if (full["threads"].is_null()) full.Set("threads", where.threads);
    std::optional<Sample> sample = Sample::FromJson(std::move(full));
    if (!sample.has_value() || !(sample->operations > 0)) {
      return Bad(absl::StrCat(where.Name(), ", ", allocator, ": a bad sample"));
    }
    results.Add(*who, a_case, *std::move(sample));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FormerRun> ReadBenchJson(std::string_view text) {
  const std::optional<Json> json = Json::Parse(text);
  if (!json.has_value()) return Bad("it is not JSON");
  RunInfo info;
  info.suite = (*json)["suite"].text();
  info.command = (*json)["command"].text();
  info.effort = Count((*json)["effort"], 0);
  if (info.suite.empty() || info.effort == 0) {
    return Bad("it is no result of --suite=quick or --suite=full");
  }
  for (const auto& [label, value] : (*json)["machine"].members()) {
    info.machine.emplace_back(label, value.text());
  }
  auto contenders = ReadContenders((*json)["allocators"]);
  if (!contenders.ok()) return contenders.status();
  auto cases = ReadCases((*json)["cases"]);
  if (!cases.ok()) return cases.status();
  Results results(*std::move(contenders), *std::move(cases),
                  Count((*json)["usable_cores"], 1));
  const Json::Array& list = (*json)["cases"].items();
  for (size_t c = 0; c < list.size(); ++c) {
    for (const Json& cell : list[c]["results"].items()) {
      const absl::Status status = ReadCell(cell, c, results);
      if (!status.ok()) return status;
    }
    const std::string absence = list[c]["absent"].text();
    if (!absence.empty()) results.SetAbsent(c, absence);
  }
  return FormerRun{std::move(results), std::move(info)};
}

}  // namespace hakmem::bench
