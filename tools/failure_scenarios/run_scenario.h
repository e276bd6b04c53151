// Runs a failure scenario (scenarios.h) in a process of its own, and reads what
// the library recorded.
#ifndef HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
#define HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "tools/failure_scenarios/scenarios.h"

namespace hakmem::tools {

struct RecordedFailure {
  nlohmann::json record;   // as hakmem_failure_json has it
  uint64_t set_limit = 0;  // what FailureScenario::run returned
};

// Runs `scenario` on the library with this back-end and ACE, in a child
// process: `program --run=NAME`, which must call RunScenarioHere(NAME). The
// error is one line.
absl::StatusOr<RecordedFailure> RunScenario(const FailureScenario& scenario,
                                            std::string_view backend,
                                            std::string_view ace,
                                            const std::string& program);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
