#include "tools/failure_scenarios/run_scenario.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/libraries/library_files.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

// Whether `object` is what RunScenarioHere prints.
bool IsRecord(const nlohmann::json& object) {
  return object.is_object() && object.contains("failure") &&
         object["failure"].is_object() && object.contains("set_limit") &&
         object["set_limit"].is_number_unsigned();
}

}  // namespace

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
  const nlohmann::json object =
      nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (!IsRecord(object)) {
    return absl::InternalError(
        absl::StrCat(scenario.name, " on ", *library,
                     " printed no record: ", result.output));
  }
  return RecordedFailure{object["failure"], object["set_limit"]};
}

}  // namespace hakmem::tools
