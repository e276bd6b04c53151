#include "tools/failure_scenarios/run_scenario.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/libraries/library_files.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

uint64_t Number(const Fields& fields, std::string_view name) {
  const auto field = fields.find(name);
  uint64_t number = 0;
  return field != fields.end() && absl::SimpleAtoi(field->second, &number)
             ? number
             : 0;
}

RecordedFailure Parse(std::string_view output) {
  Fields fields;
  for (const std::string_view line : absl::StrSplit(output, '\n')) {
    fields.insert(absl::StrSplit(line, absl::MaxSplits('=', 1)));
  }
  RecordedFailure f;
  f.entry = fields["entry"];
  f.layer = fields["layer"];
  f.cause = fields["cause"];
  f.subcause = fields["subcause"];
  f.text = fields["text"];
  f.size = Number(fields, "size");
  f.alignment = Number(fields, "alignment");
  f.error = Number(fields, "error");
  f.live_bytes = Number(fields, "live_bytes");
  f.cached_bytes = Number(fields, "cached_bytes");
  f.limit_bytes = Number(fields, "limit_bytes");
  f.os_bytes = Number(fields, "os_bytes");
  f.evidence_used = Number(fields, "evidence_used");
  f.evidence_limit = Number(fields, "evidence_limit");
  f.set_limit = Number(fields, "set_limit");
  return f;
}

}  // namespace

std::string_view RecordedFailure::Explanation() const {
  // "...: CAUSE in LAYER, ...: explanation"
  std::string_view rest = text;
  const size_t at = rest.find(absl::StrCat(": ", cause, " in "));
  if (at == std::string_view::npos) return rest;
  rest.remove_prefix(at + 2);
  const size_t colon = rest.find(": ");
  return colon == std::string_view::npos ? rest : rest.substr(colon + 2);
}

absl::StatusOr<RecordedFailure> RunScenario(const FailureScenario& scenario,
                                            std::string_view backend,
                                            std::string_view ace,
                                            const std::string& program) {
  const absl::StatusOr<std::string> library =
      FindLibrary(scenario.needs_faults ? absl::StrCat("libhakmem-", backend,
                                                       "-", ace, "-faults.so")
                                        : LibraryName(backend, ace));
  if (!library.ok()) return library.status();
  Command command = {
      .arguments = {program, absl::StrCat("--run=", scenario.name)},
      .variables = {"LD_PRELOAD=" + *library},
      .errors = Stream::Inherit()};
  if (*scenario.environment != '\0') {
    command.variables.emplace_back(scenario.environment);
  }
  const ProcessResult result = RunProcess(command);
  if (!result.ok()) {
    return absl::InternalError(
        absl::StrCat(scenario.name, " on ", *library, ": ", result.Describe()));
  }
  return Parse(result.output);
}

}  // namespace hakmem::tools
